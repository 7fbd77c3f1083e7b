import type { Account } from '../api/wire.ts'
import { editProfile } from '../state/accounts.ts'
import { Field, FormFailure, LongField, Submit, useForm } from '../ui/field.tsx'
import { tell } from '../ui/toasts.tsx'

export function EditProfile({ account, onDone }: { account: Account; onDone: () => void }) {
  const form = useForm(async (values) => {
    await editProfile({ displayName: values('displayName'), bio: values('bio') })
    tell('Your profile is saved')
    onDone()
  })
  return (
    <form class="stack" aria-label="Edit profile" onSubmit={form.onSubmit}>
      <Field
        form={form}
        name="displayName"
        label="Name"
        defaultValue={account.displayName}
        maxLength={1000}
        autocomplete="name"
        required
      />
      <LongField form={form} name="bio" label="About you" value={account.bio} maxLength={10000} />
      <FormFailure form={form} shown={['displayName', 'bio']} />
      <div class="actions">
        <button type="button" class="secondary" onClick={onDone}>
          Cancel
        </button>
        <Submit form={form}>Save</Submit>
      </div>
    </form>
  )
}
