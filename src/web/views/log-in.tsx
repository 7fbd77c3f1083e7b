import { logIn } from '../api/auth.ts'
import { logoutReason } from '../api/session.ts'
import { navigate } from '../state/location.ts'
import { Field, FormError, SubmitButton } from '../ui/field.tsx'
import { Link } from '../ui/link.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'

export function LogIn() {
  const form = useForm(async ({ value }) => {
    await logIn({ identifier: value('identifier').trim(), password: value('password') })
    navigate('/')
  })
  return (
    <View title="Log in">
      <form class="card stack narrow-form" aria-label="Log in" onSubmit={form.onSubmit}>
        {logoutReason.value && <p role="status">{logoutReason.value}</p>}
        <Field
          form={form}
          name="identifier"
          label="Handle or email"
          autocomplete="username"
          autocapitalize="none"
          maxLength={254}
          required
        />
        <Field form={form} name="password" label="Password" type="password" autocomplete="current-password" required />
        <FormError form={form} shown={['identifier', 'password']} />
        <SubmitButton form={form}>Log in</SubmitButton>
        <p class="aside">
          New here? <Link href="/register">Create an account</Link>
        </p>
      </form>
    </View>
  )
}
