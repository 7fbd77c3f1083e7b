import { confirmLogin } from '../api/auth.ts'
import { Cancelled } from '../api/errors.ts'
import { passwordRequest } from '../api/fresh-login.ts'
import { session } from '../api/session.ts'
import { Modal } from './dialog.tsx'
import { FormError, PasswordField, SubmitButton, UsernameField } from './field.tsx'
import { useForm } from './use-form.ts'

/** Asks for the password when an operation requires a fresh login. Wherever that operation is called, this is enough. */
export function PasswordDialog() {
  if (!passwordRequest.value) return null
  const { resolve, reject } = passwordRequest.value
  const cancel = () => reject(new Cancelled())
  return (
    <Modal label="Enter your password" onClose={cancel}>
      <PasswordForm onConfirmed={resolve} onCancel={cancel} />
    </Modal>
  )
}

function PasswordForm({ onConfirmed, onCancel }: { onConfirmed: () => void; onCancel: () => void }) {
  const form = useForm(async ({ value }) => {
    await confirmLogin(value('password'))
    onConfirmed()
  })
  return (
    <form class="stack" aria-label="Enter your password" {...form.attributes}>
      <h2>Enter your password</h2>
      <p>This protects your account if someone else uses this browser. It is asked again after ten minutes.</p>
      <UsernameField handle={session.value?.handle} />
      <PasswordField form={form} name="password" label="Password" autocomplete="current-password" required autofocus />
      <FormError form={form} shown={['password']} />
      <div class="actions">
        <button type="button" class="secondary" onClick={onCancel}>
          Cancel
        </button>
        <SubmitButton form={form}>Continue</SubmitButton>
      </div>
    </form>
  )
}
