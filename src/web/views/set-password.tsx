import { client } from '../api/client.ts'
import { showToast } from '../state/toasts.ts'
import { FormError, SubmitButton } from '../ui/field.tsx'
import { Turnstile } from '../ui/turnstile.tsx'
import { useForm } from '../ui/use-form.ts'

/** For an account without a password: a link in an email sets one, so that a stolen login cannot. */
export function SetPassword({ handle, onDone }: { handle: string; onDone: () => void }) {
  const form = useForm(async ({ value }) => {
    await client.requestPasswordReset({ identifier: handle, turnstileToken: value('turnstileToken') || undefined })
    showToast('A link is on its way to your address')
    onDone()
  })
  return (
    <form class="stack" aria-label="Set a password" {...form.attributes}>
      <p>We email you a link with which you choose a password. It also ends every login.</p>
      <Turnstile form={form} action="reset" />
      <FormError form={form} />
      <div class="actions">
        <button type="button" class="secondary" onClick={onDone}>
          Cancel
        </button>
        <SubmitButton form={form}>Send the link</SubmitButton>
      </div>
    </form>
  )
}
