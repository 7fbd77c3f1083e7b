import { useSignal } from '@preact/signals'
import { register, verify } from '../api/auth.ts'
import { Link, navigate, View } from '../router.tsx'
import { Field, FormFailure, Submit, useForm } from '../ui/field.tsx'
import { Icon } from '../ui/icons.tsx'

const MIN_PASSWORD = 15

export function Register() {
  const sentTo = useSignal('')
  const form = useForm(async (values) => {
    const email = values('email').trim()
    await register({ handle: values('handle').trim(), email, password: values('password') })
    sentTo.value = email
  })
  if (sentTo.value) return <MailSent to={sentTo.value} />
  return (
    <View title="Create an account">
      <form class="card stack narrow-form" aria-label="Create an account" onSubmit={form.onSubmit}>
        <Field
          form={form}
          name="handle"
          label="Handle"
          hint="What others call you here: 3 to 30 letters, digits and _"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          minLength={3}
          maxLength={30}
          required
        />
        <Field
          form={form}
          name="email"
          label="Email"
          type="email"
          autocomplete="email"
          hint="Only for logging in; nobody sees it"
          maxLength={254}
          required
        />
        <Field
          form={form}
          name="password"
          label="Password"
          type="password"
          autocomplete="new-password"
          hint={`At least ${MIN_PASSWORD} characters; a few words make a good one`}
          minLength={MIN_PASSWORD}
          required
        />
        <FormFailure form={form} shown={['handle', 'email', 'password']} />
        <Submit form={form}>Create account</Submit>
        <p class="aside">
          Have one? <Link href="/login">Log in</Link>
        </p>
      </form>
    </View>
  )
}

const isLocal = ['127.0.0.1', 'localhost'].includes(window.location.hostname)

function MailSent({ to }: { to: string }) {
  const form = useForm(async (values) => {
    await verify({ token: values('token').trim(), password: values('password') })
    navigate('/')
  })
  return (
    <View title="We sent you a mail">
      <form class="card stack narrow-form centered" aria-label="Confirm your address" onSubmit={form.onSubmit}>
        <Icon name="mail" />
        <p>
          It went to <b>{to}</b>. Open the link in it and give your password once more, and you are in.
        </p>
        {isLocal && (
          <p>
            On this machine mail goes nowhere:{' '}
            <a href="/cdn-cgi/local/explorer/email/sending" target="_blank" rel="noreferrer">
              read it in the local inbox
            </a>
            .
          </p>
        )}
        <Field
          form={form}
          name="token"
          label="Or paste the token from the mail"
          autocomplete="one-time-code"
          maxLength={120}
          required
        />
        <Field form={form} name="password" label="Password" type="password" autocomplete="current-password" required />
        <FormFailure form={form} shown={['token', 'password']} />
        <Submit form={form} class="secondary">
          Confirm
        </Submit>
      </form>
    </View>
  )
}
