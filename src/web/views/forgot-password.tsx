import { useSignal } from '@preact/signals'
import { client } from '../api/client.ts'
import { typedIdentifier } from '../state/typed-identifier.ts'
import { FormError, SubmitButton } from '../ui/field.tsx'
import { Icon } from '../ui/icons.tsx'
import { IdentifierField } from '../ui/identifier-field.tsx'
import { Link } from '../ui/link.tsx'
import { LocalInboxHint } from '../ui/local-inbox-hint.tsx'
import { Turnstile } from '../ui/turnstile.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'

export function ForgotPassword() {
  const sent = useSignal(false)
  const form = useForm(async ({ value }) => {
    await client.requestPasswordReset({
      identifier: value('identifier').trim(),
      turnstileToken: value('turnstileToken') || undefined,
    })
    sent.value = true
  })
  if (sent.value) return <ResetMailSent />
  return (
    <View title="Reset your password">
      <form class="card stack narrow-form" aria-label="Reset your password" {...form.attributes}>
        <p>We send you a link with which you choose a new password.</p>
        <IdentifierField form={form} />
        <Turnstile form={form} action="reset" />
        <FormError form={form} shown={['identifier']} />
        <SubmitButton form={form}>Send the link</SubmitButton>
        <p class="aside">
          You remember it? <Link href="/login">Log in</Link>
        </p>
      </form>
    </View>
  )
}

function ResetMailSent() {
  return (
    <View title="Check your email">
      <div class="card stack narrow-form centered">
        <Icon name="mail" />
        <p>
          If <b>{typedIdentifier.value}</b> has an account here, a link is on its way to its email address. It works
          once, for 30 minutes.
        </p>
        <p class="aside">
          Emails can be late, usually by a minute, at worst by hours. Look into your spam folder too, before you{' '}
          <Link href="/forgot">ask again</Link>.
        </p>
        <LocalInboxHint />
      </div>
    </View>
  )
}
