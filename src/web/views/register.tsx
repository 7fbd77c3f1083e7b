import { useSignal } from '@preact/signals'
import { register } from '../api/auth.ts'
import { Field, FormError, PasswordField, SubmitButton } from '../ui/field.tsx'
import { Link } from '../ui/link.tsx'
import { type Form, useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'
import { MailSent } from './mail-sent.tsx'

const MIN_PASSWORD_LENGTH = 15

export function Register() {
  const sentTo = useSignal('')
  const form = useForm(async ({ value }) => {
    const email = value('email').trim()
    await register({ handle: value('handle').trim(), email, password: value('password') })
    sentTo.value = email
  })
  if (sentTo.value) return <MailSent address={sentTo.value} />
  return (
    <View title="Create an account">
      <form class="card stack narrow-form" aria-label="Create an account" {...form.attributes}>
        <RegistrationFields form={form} />
        <FormError form={form} shown={['handle', 'email', 'password']} />
        <SubmitButton form={form}>Create account</SubmitButton>
        <p class="aside">
          Already have an account? <Link href="/login">Log in</Link>
        </p>
      </form>
    </View>
  )
}

function RegistrationFields({ form }: { form: Form }) {
  return (
    <>
      <Field
        form={form}
        name="handle"
        label="Handle"
        hint="Your public name: 3 to 30 letters, digits or underscores"
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        minLength={3}
        maxLength={31}
        required
      />
      <Field
        form={form}
        name="email"
        label="Email"
        type="email"
        autocomplete="email"
        hint="Used to log in, never shown to others"
        maxLength={254}
        required
      />
      <PasswordField
        form={form}
        name="password"
        label="Password"
        autocomplete="new-password"
        hint={`At least ${MIN_PASSWORD_LENGTH} characters. A few random words work well.`}
        minLength={MIN_PASSWORD_LENGTH}
        required
      />
    </>
  )
}
