import type { Account } from '../../client/wire.ts'
import { editProfile } from '../state/accounts.ts'
import { showToast } from '../state/toasts.ts'
import { EditActions, Field, FormError, TextAreaField } from '../ui/field.tsx'
import { ProfileImages } from '../ui/profile-images.tsx'
import { useForm } from '../ui/use-form.ts'

export function EditProfile({ account, onDone }: { account: Account; onDone: () => void }) {
  const form = useForm(async ({ value }) => {
    await editProfile({ displayName: value('displayName'), bio: value('bio') })
    showToast('Profile saved')
    onDone()
  })
  return (
    <form class="stack" aria-label="Edit profile" {...form.attributes}>
      <ProfileImages account={account} />
      <Field
        form={form}
        name="displayName"
        label="Display name"
        defaultValue={account.displayName}
        maxLength={1000}
        autocomplete="name"
        required
      />
      <TextAreaField form={form} name="bio" label="Bio" value={account.bio} maxLength={10000} />
      <FormError form={form} shown={['displayName', 'bio']} />
      <EditActions form={form} onCancel={onDone} />
    </form>
  )
}
