import { useSignal } from '@preact/signals'
import { verify } from '../api/auth.ts'
import { client } from '../api/client.ts'
import { navigate } from '../state/location.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { Field, FormError, SubmitButton } from '../ui/field.tsx'
import { Icon } from '../ui/icons.tsx'
import { LocalInboxHint } from '../ui/local-inbox-hint.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'

/** Says where the verification email went. Also accepts its token, for people who read the email on another device. */
export function MailSent({ address }: { address: string }) {
  const form = useForm(async ({ value }) => {
    await verify({ token: value('token').trim() })
    navigate('/')
  })
  return (
    <View title="Check your email">
      <div class="card stack narrow-form centered">
        <Icon name="mail" />
        <p>
          We sent a link to <b>{address}</b>. Open it in this browser, and you are logged in.
        </p>
        <LocalInboxHint />
        <form class="stack" aria-label="Confirm your email" {...form.attributes}>
          <Field
            form={form}
            name="token"
            label="Or paste the token from the email"
            autocomplete="one-time-code"
            maxLength={120}
            required
          />
          <FormError form={form} shown={['token']} />
          <SubmitButton form={form} class="secondary">
            Confirm
          </SubmitButton>
        </form>
        <Resend address={address} />
      </div>
    </View>
  )
}

function Resend({ address }: { address: string }) {
  const busy = useSignal(false)
  const resend = async () => {
    busy.value = true
    await client
      .resendVerification({ email: address })
      .then(() => showToast('Another email is on its way'), reportError)
    busy.value = false
  }
  return (
    <div>
      <p class="aside">
        Emails can be late, usually by a minute, at worst by hours. Look into your spam folder too. We keep trying while
        our email service is down, so you need not register again.
      </p>
      <button type="button" class="quiet" disabled={busy.value} onClick={() => void resend()}>
        Send it again
      </button>
    </div>
  )
}
