import { verify } from '../api/auth.ts'
import { navigate } from '../state/location.ts'
import { Field, FormError, PasswordField, SubmitButton } from '../ui/field.tsx'
import { Icon } from '../ui/icons.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'

const isLocal = ['127.0.0.1', 'localhost'].includes(window.location.hostname)

/** Says where the verification email went. Also accepts its token, for people who read the email on another device. */
export function MailSent({ address }: { address: string }) {
  const form = useForm(async ({ value }) => {
    await verify({ token: value('token').trim(), password: value('password') })
    navigate('/')
  })
  return (
    <View title="Check your email">
      <form class="card stack narrow-form centered" aria-label="Confirm your email" {...form.attributes}>
        <Icon name="mail" />
        <p>
          We sent a link to <b>{address}</b>. Open it and enter your password to log in.
        </p>
        {isLocal && <LocalInboxHint />}
        <Field
          form={form}
          name="token"
          label="Or paste the token from the email"
          autocomplete="one-time-code"
          maxLength={120}
          required
        />
        <PasswordField form={form} name="password" label="Password" autocomplete="current-password" required />
        <FormError form={form} shown={['token', 'password']} />
        <SubmitButton form={form} class="secondary">
          Confirm
        </SubmitButton>
      </form>
    </View>
  )
}

function LocalInboxHint() {
  return (
    <p>
      Your local server sends no email:{' '}
      <a href="/cdn-cgi/local/explorer/email/sending" target="_blank" rel="noreferrer">
        read it in the local inbox
      </a>
      .
    </p>
  )
}
