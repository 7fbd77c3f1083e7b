import { useSignal } from '@preact/signals'
import type { Passkey } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { addPasskey, hasPasskeys } from '../api/passkeys.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { askConfirmation } from '../ui/dialog.tsx'
import { EditActions, Field, FormError } from '../ui/field.tsx'
import { LoadError, useData } from '../ui/loading.tsx'
import { Ago } from '../ui/time.tsx'
import { useForm } from '../ui/use-form.ts'
import { focusHeading } from '../ui/view.tsx'
import type { OnCodes } from './recovery-codes.tsx'

/** The passkeys of the account, as rows, and a row that adds one. */
export function Passkeys({ onCodes }: { onCodes: OnCodes }) {
  const { data, error, load } = useData(() => client.listPasskeys())
  const changed = async (codes: string[] | null) => {
    await Promise.all([load(), onCodes(codes)])
  }
  return (
    <>
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      {(data.value?.items ?? []).map((passkey) => (
        <Row key={passkey.id} passkey={passkey} load={load} onRemoved={() => changed(null)} />
      ))}
      <AddRow onAdded={changed} />
    </>
  )
}

type RowProps = { passkey: Passkey; load: () => Promise<void>; onRemoved: () => Promise<void> }

function Row({ passkey, load, onRemoved }: RowProps) {
  const open = useSignal(false)
  const { id, name, lastUsedAt } = passkey
  const renamed = async (typed: string) => {
    await client.renamePasskey({ passkeyId: id, name: typed })
    await load()
    open.value = false
  }
  return (
    <li class="row">
      <div>
        <b>Passkey: {name}</b>
        <p class="row-value">
          {lastUsedAt ? (
            <>
              Last used: <Ago at={lastUsedAt} />
            </>
          ) : (
            'Never used'
          )}
        </p>
      </div>
      <button
        type="button"
        class="secondary"
        aria-label={`Rename the passkey ${name}`}
        aria-expanded={open.value}
        onClick={() => (open.value = !open.value)}
      >
        Rename
      </button>
      <RemoveButton passkey={passkey} onRemoved={onRemoved} />
      {open.value && (
        <NameForm label="Rename the passkey" name={name} save={renamed} close={() => (open.value = false)} />
      )}
    </li>
  )
}

function RemoveButton({ passkey: { id, name }, onRemoved }: Omit<RowProps, 'load'>) {
  const remove = async () => {
    const text = 'Nobody can log in with it any more. Delete it on your device too.'
    if (!(await askConfirmation(`Remove the passkey “${name}”?`, text, 'Remove'))) return
    await client.removePasskey({ passkeyId: id })
    await onRemoved()
    focusHeading()
    showToast('Passkey removed')
  }
  return (
    <button
      type="button"
      class="secondary"
      aria-label={`Remove the passkey ${name}`}
      onClick={() => void remove().catch(reportError)}
    >
      Remove
    </button>
  )
}

function AddRow({ onAdded }: { onAdded: (codes: string[] | null) => Promise<void> }) {
  const open = useSignal(false)
  const add = async (name: string) => {
    const { recoveryCodes } = await addPasskey(name)
    open.value = false
    await onAdded(recoveryCodes)
    showToast('Passkey added')
  }
  return (
    <li class="row">
      <div>
        <b>Passkeys</b>
        <p class="hint">
          {hasPasskeys()
            ? 'A passkey is kept by your device or password manager. It logs you in without a password.'
            : 'This browser has no passkeys for this page.'}
        </p>
      </div>
      {hasPasskeys() && (
        <button
          type="button"
          class="secondary"
          aria-label="Add a passkey"
          aria-expanded={open.value}
          onClick={() => (open.value = !open.value)}
        >
          Add
        </button>
      )}
      {open.value && <NameForm label="Add a passkey" name="" save={add} close={() => (open.value = false)} />}
    </li>
  )
}

type NameProps = { label: string; name: string; save: (name: string) => Promise<void>; close: () => void }

function NameForm({ label, name, save, close }: NameProps) {
  const form = useForm(async ({ value }) => save(value('name').trim()))
  return (
    <form class="stack" aria-label={label} {...form.attributes}>
      <Field
        form={form}
        name="name"
        label="Name"
        hint="So that you recognize it, such as “My phone”"
        defaultValue={name}
        maxLength={50}
        required
        autofocus
      />
      <FormError form={form} shown={['name']} />
      <EditActions form={form} onCancel={close} />
    </form>
  )
}
