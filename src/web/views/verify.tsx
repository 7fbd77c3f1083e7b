import { verify } from '../api/auth.ts'
import { Link, navigate, View } from '../router.tsx'
import { Field, FormFailure, Submit, useForm } from '../ui/field.tsx'

/** The token of the mail's link, `/?verify=TOKEN`; it is taken out of the address, and so of the history, at once. */
export const verification = new URLSearchParams(window.location.search).get('verify')
if (verification) history.replaceState(null, '', '/')

/** Asks for the password: a link alone must neither open an account that another registered, nor log into it. */
export function Verify({ token }: { token: string }) {
  const form = useForm(async (values) => {
    await verify({ token, password: values('password') })
    navigate('/')
  })
  return (
    <View title="Confirm your address">
      <form class="card stack narrow-form" aria-label="Confirm your address" onSubmit={form.onSubmit}>
        <Field
          form={form}
          name="password"
          label="Password"
          type="password"
          autocomplete="current-password"
          hint="The one that you have just chosen"
          required
        />
        <FormFailure form={form} shown={['password']} />
        <Submit form={form}>Confirm</Submit>
        <p class="aside">
          Does it not work? <Link href="/register">Register again</Link>
        </p>
      </form>
    </View>
  )
}
