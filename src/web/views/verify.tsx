import { verify } from '../api/auth.ts'
import { navigate } from '../state/location.ts'
import { FormError, PasswordField, SubmitButton } from '../ui/field.tsx'
import { Link } from '../ui/link.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'

/** The token in the emailed link, `/?verify=TOKEN`. It is removed from the address at once. */
export const verificationToken = new URLSearchParams(window.location.search).get('verify')
if (verificationToken) history.replaceState(null, '', '/')

/** Asks for the password: the link alone must not activate an account that someone else registered, nor log in to it. */
export function Verify({ token }: { token: string }) {
  const form = useForm(async ({ value }) => {
    await verify({ token, password: value('password') })
    navigate('/')
  })
  return (
    <View title="Confirm your email">
      <form class="card stack narrow-form" aria-label="Confirm your email" {...form.attributes}>
        <PasswordField
          form={form}
          name="password"
          label="Password"
          autocomplete="current-password"
          hint="The password you chose when you registered"
          required
        />
        <FormError form={form} shown={['password']} />
        <SubmitButton form={form}>Confirm</SubmitButton>
        <p class="aside">
          Not working? <Link href="/register">Register again</Link>
        </p>
      </form>
    </View>
  )
}
