import type { SecondFactors } from '../../client/wire.ts'
import { confirmLogin, confirmWithPasskey } from '../api/auth.ts'
import { client } from '../api/client.ts'
import { Cancelled } from '../api/errors.ts'
import { passwordRequest } from '../api/fresh-login.ts'
import { hasPasskeys } from '../api/passkeys.ts'
import { session } from '../api/session.ts'
import { reportError } from '../state/toasts.ts'
import { Modal } from './dialog.tsx'
import { CodeField, FormError, PasswordField, SubmitButton, UsernameField } from './field.tsx'
import { LoadError, Loading, useData } from './loading.tsx'
import { ProviderButtons } from './provider-buttons.tsx'
import { useForm } from './use-form.ts'

/** Asks who it is when an operation requires a fresh login. Wherever that operation is called, this is enough. */
export function PasswordDialog() {
  if (!passwordRequest.value) return null
  const { resolve, reject } = passwordRequest.value
  const cancel = () => reject(new Cancelled())
  return (
    <Modal label="Confirm that it is you" onClose={cancel}>
      <Confirmation onConfirmed={resolve} onCancel={cancel} />
    </Modal>
  )
}

type Props = { onConfirmed: () => void; onCancel: () => void }

function Confirmation(props: Props) {
  const { data, error, load } = useData(() => client.readSecondFactors())
  return (
    <div class="stack">
      <h2>Confirm that it is you</h2>
      <p>This protects your account if someone else uses this browser. It is asked again after ten minutes.</p>
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      {!data.value && error.value === null && <Loading />}
      {data.value && !data.value.hasPassword && <WithoutPassword factors={data.value} {...props} />}
      {data.value?.hasPassword && <ConfirmationForm factors={data.value} {...props} />}
    </div>
  )
}

/** A provider proves who it is in place of the password. If there is a second factor, its code is asked for afterwards. */
function WithoutPassword({ factors, onConfirmed }: Props & { factors: SecondFactors }) {
  return (
    <>
      {factors.passkeys > 0 && hasPasskeys() && <PasskeyButton onConfirmed={onConfirmed} />}
      <ProviderButtons purpose="confirm" />
      <p class="hint">Or log out and log in again: that counts too.</p>
    </>
  )
}

function PasskeyButton({ onConfirmed }: Pick<Props, 'onConfirmed'>) {
  const confirm = () => confirmWithPasskey().then(onConfirmed)
  return (
    <button type="button" onClick={() => void confirm().catch(reportError)}>
      Use a passkey
    </button>
  )
}

function ConfirmationForm({ factors, onConfirmed, onCancel }: Props & { factors: SecondFactors }) {
  const { totpSince, passkeys } = factors
  const needsCode = totpSince !== null || passkeys > 0
  const form = useForm(async ({ value }) => {
    await confirmLogin({ password: value('password'), code: needsCode ? value('code').trim() : undefined })
    onConfirmed()
  })
  return (
    <form class="stack" aria-label="Confirm that it is you" {...form.attributes}>
      {passkeys > 0 && hasPasskeys() && <PasskeyButton onConfirmed={onConfirmed} />}
      <UsernameField handle={session.value?.handle} />
      <PasswordField form={form} name="password" label="Password" autocomplete="current-password" required autofocus />
      {needsCode && <CodeField form={form} withApp={totpSince !== null} />}
      <FormError form={form} shown={['password', 'code']} />
      <div class="actions">
        <button type="button" class="secondary" onClick={onCancel}>
          Cancel
        </button>
        <SubmitButton form={form}>Continue</SubmitButton>
      </div>
    </form>
  )
}
