import type { SecondFactor, Tokens } from '../../client/client.ts'
import { finishLogin, finishWithPasskey } from '../api/auth.ts'
import { hasPasskeys } from '../api/passkeys.ts'
import { reportError } from '../state/toasts.ts'
import { CodeField, FormError, SubmitButton } from '../ui/field.tsx'
import { useForm } from '../ui/use-form.ts'

type Props = {
  secondFactor: SecondFactor
  name: string
  onDone: (tokens: Tokens) => void
  onCancel: () => void
}

/** After the right password of an account with a second factor. */
export function SecondStep({ secondFactor, name, onDone, onCancel }: Props) {
  const form = useForm(async ({ value }) => onDone(await finishLogin(secondFactor, value('code').trim(), name)))
  const byPasskey = () => finishWithPasskey(secondFactor, name).then(onDone)
  const { methods } = secondFactor
  return (
    <form class="card stack narrow-form" aria-label="Second step" {...form.attributes}>
      <h2>Second step</h2>
      <p>The first step is done. Now prove that it is you.</p>
      {methods.includes('passkey') && hasPasskeys() && (
        <button type="button" onClick={() => void byPasskey().catch(reportError)}>
          Use a passkey
        </button>
      )}
      <CodeField form={form} withApp={methods.includes('code')} />
      <FormError form={form} shown={['code']} />
      <SubmitButton form={form}>Log in</SubmitButton>
      <button type="button" class="secondary" onClick={onCancel}>
        Start again
      </button>
    </form>
  )
}
