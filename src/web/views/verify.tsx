import { verify } from '../api/auth.ts'
import { navigate } from '../state/location.ts'
import { Field, FormError, SubmitButton } from '../ui/field.tsx'
import { Link } from '../ui/link.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'

/** The token of the mailed link, `/?verify=TOKEN`. It is removed from the address and so never enters the history. */
export const verificationToken = new URLSearchParams(window.location.search).get('verify')
if (verificationToken) history.replaceState(null, '', '/')

/** Asks for the password, so that the link alone neither opens nor confirms an account that someone else registered. */
export function Verify({ token }: { token: string }) {
  const form = useForm(async ({ value }) => {
    await verify({ token, password: value('password') })
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
        <FormError form={form} shown={['password']} />
        <SubmitButton form={form}>Confirm</SubmitButton>
        <p class="aside">
          Does it not work? <Link href="/register">Register again</Link>
        </p>
      </form>
    </View>
  )
}
