import { logIn } from '../api/auth.ts'
import { farewell } from '../api/session.ts'
import { Link, navigate, View } from '../router.tsx'
import { Field, FormFailure, Submit, useForm } from '../ui/field.tsx'

export function LogIn() {
  const form = useForm(async (values) => {
    await logIn({ identifier: values('identifier').trim(), password: values('password') })
    navigate('/')
  })
  return (
    <View title="Log in">
      <form class="card stack narrow-form" aria-label="Log in" onSubmit={form.onSubmit}>
        {farewell.value && <p role="status">{farewell.value}</p>}
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
        <FormFailure form={form} shown={['identifier', 'password']} />
        <Submit form={form}>Log in</Submit>
        <p class="aside">
          New here? <Link href="/register">Create an account</Link>
        </p>
      </form>
    </View>
  )
}
