import { askForPassword } from '../api/fresh-login.ts'
import { deleteAccount } from '../api/own-data.ts'
import { suspended } from '../api/session.ts'
import { navigate } from '../state/location.ts'
import { FormError, SubmitButton } from '../ui/field.tsx'
import { Link } from '../ui/link.tsx'
import { SettingsNav } from '../ui/settings-nav.tsx'
import { exactTime } from '../ui/time.tsx'
import { useForm } from '../ui/use-form.ts'
import { View } from '../ui/view.tsx'

const notice = (erasedAt: string) =>
  `Your account is hidden now, and will be erased on ${exactTime(erasedAt)}. If you log in before then, you keep it.`

export function DeleteAccount() {
  return (
    <View title="Delete account">
      <SettingsNav />
      <DeletionForm />
    </View>
  )
}

export function DeletionForm() {
  const form = useForm(async () => {
    // Asks even if the login is fresh, so that nobody can delete an account in an unattended browser.
    await askForPassword()
    await deleteAccount(notice)
    navigate('/login')
  })
  return (
    <form class="card stack settings" aria-label="Delete account" {...form.attributes}>
      <h2>What happens</h2>
      <ol class="steps">
        <li>
          <b>At once:</b> you are logged out everywhere, and nobody sees your profile, posts, comments and likes any
          more.
        </li>
        <li>
          <b>Until a date that you then see:</b> you can change your mind. Log in, and everything is as it was.
        </li>
        <li>
          <b>After that date:</b> all that you made here is erased, and nobody can bring it back, not even us. Nobody
          can take your handle for another 90 days.
        </li>
      </ol>
      <p>
        You may want {suspended.value ? 'a copy of your data' : <Link href="/export">a copy of your data</Link>} first.
      </p>
      <FormError form={form} />
      <div class="actions">
        <SubmitButton form={form} class="danger">
          Delete my account
        </SubmitButton>
      </div>
    </form>
  )
}
