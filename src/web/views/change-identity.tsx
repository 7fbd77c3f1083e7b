import type { Identity } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { changeHandle, changePassword } from '../api/recovery.ts'
import { loadCurrentAccount } from '../state/current-account.ts'
import { subscribeAgain } from '../state/push.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { EditActions, Field, FormError, PasswordField, UsernameField } from '../ui/field.tsx'
import { HandleField } from '../ui/handle-field.tsx'
import { MIN_LENGTH_WITH_FACTOR, replacedPasswordHint } from '../ui/password-hint.ts'
import { useForm } from '../ui/use-form.ts'

type Props = { onChanged: () => Promise<void>; onDone: () => void }

export function ChangeHandle({ identity, onChanged, onDone }: Props & { identity: Identity }) {
  const form = useForm(async ({ value }) => {
    const { handle } = await changeHandle({ handle: value('handle').trim() })
    await Promise.all([onChanged(), loadCurrentAccount()])
    showToast(`You are @${handle} now`)
    onDone()
  })
  return (
    <form class="stack" aria-label="Change handle" {...form.attributes}>
      <HandleField
        form={form}
        label="New handle"
        hint={`3 to 30 letters, digits or underscores. @${identity.handle} leads to you for 90 more days. You can change your handle again after 30 days.`}
        autofocus
      />
      <FormError form={form} shown={['handle']} />
      <EditActions form={form} onCancel={onDone} />
    </form>
  )
}

export function ChangeAddress({ onChanged, onDone }: Props) {
  const form = useForm(async ({ value }) => {
    const email = value('email').trim()
    await client.changeAddress({ email })
    await onChanged()
    showToast(`We sent a link to ${email}`)
    onDone()
  })
  return (
    <form class="stack" aria-label="Change email" {...form.attributes}>
      <Field
        form={form}
        name="email"
        label="New email"
        type="email"
        hint="We send a link to it. Until you open the link, nothing changes. Your old address is told, and can undo the change for three days."
        autocomplete="email"
        maxLength={254}
        required
        autofocus
      />
      <FormError form={form} shown={['email']} />
      <EditActions form={form} onCancel={onDone} />
    </form>
  )
}

export function ChangePassword({ handle, onChanged, onDone }: Props & { handle: string }) {
  const form = useForm(async ({ value }) => {
    await changePassword({ currentPassword: value('currentPassword'), password: value('password') })
    await onChanged()
    await subscribeAgain().catch(reportError)
    showToast('Password changed. Every other device was logged out.')
    onDone()
  })
  return (
    <form class="stack" aria-label="Change password" {...form.attributes}>
      <UsernameField handle={handle} />
      <PasswordField
        form={form}
        name="currentPassword"
        label="Current password"
        autocomplete="current-password"
        required
        autofocus
      />
      <PasswordField
        form={form}
        name="password"
        label="New password"
        autocomplete="new-password"
        hint={`${replacedPasswordHint()} Every other device will be logged out.`}
        minLength={MIN_LENGTH_WITH_FACTOR}
        required
      />
      <FormError form={form} shown={['currentPassword', 'password']} />
      <EditActions form={form} onCancel={onDone} />
    </form>
  )
}
