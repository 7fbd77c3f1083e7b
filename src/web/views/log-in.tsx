import { logIn } from '../api/auth.ts'
import { logoutReason } from '../api/session.ts'
import { navigate } from '../state/location.ts'
import { typedIdentifier } from '../state/typed-identifier.ts'
import { Field, FormError, PasswordField, SubmitButton } from '../ui/field.tsx'
import { Link } from '../ui/link.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'

export function LogIn() {
  return (
    <View title="Log in">
      <LogInForm />
    </View>
  )
}

export function LogInForm() {
  const form = useForm(async ({ value }) => {
    await logIn({ identifier: value('identifier').trim(), password: value('password') })
    navigate('/')
  })
  return (
    <form class="card stack narrow-form" aria-label="Log in" {...form.attributes}>
      {logoutReason.value && <p role="status">{logoutReason.value}</p>}
      <Field
        form={form}
        name="identifier"
        label="Handle or email"
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        maxLength={254}
        defaultValue={typedIdentifier.peek()}
        onInput={({ currentTarget }) => {
          typedIdentifier.value = currentTarget.value
        }}
        required
      />
      <PasswordField form={form} name="password" label="Password" autocomplete="current-password" required />
      <FormError form={form} shown={['identifier', 'password']} />
      <SubmitButton form={form}>Log in</SubmitButton>
      <Link href="/register" class="button secondary">
        Create an account
      </Link>
    </form>
  )
}
