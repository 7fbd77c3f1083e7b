import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import type { Identity } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { SettingsNav } from '../ui/settings-nav.tsx'
import { Ago, day } from '../ui/time.tsx'
import { View } from '../ui/view.tsx'
import { ChangeAddress, ChangeHandle, ChangePassword } from './change-identity.tsx'
import { LinkedProviders } from './linked-providers.tsx'
import { Logins } from './logins.tsx'
import { SecondFactors } from './second-factors.tsx'
import { SetPassword } from './set-password.tsx'

/** How people log in to the account, and where they are logged in. */
export function Security() {
  const { data, error, load } = useData(() => client.readIdentity())
  return (
    <View title="Security">
      <SettingsNav />
      <section class="card settings" aria-label="How you log in" aria-busy={!data.value && !error.value}>
        <h2>How you log in</h2>
        {error.value !== null && <LoadError error={error.value} retry={load} />}
        {!data.value && error.value === null && <Loading />}
        {data.value && <IdentityRows identity={data.value} onChanged={load} />}
      </section>
      <LinkedProviders />
      <SecondFactors />
      <Logins />
    </View>
  )
}

type RowsProps = { identity: Identity; onChanged: () => Promise<void> }

function IdentityRows({ identity, onChanged }: RowsProps) {
  const { handle, email, pendingEmail, hasPassword, handleChangeableAt, passwordChangedAt } = identity
  const unchanged = hasPassword ? 'Never changed' : 'You have none'
  return (
    <ul class="rows">
      <Row
        label="Handle"
        value={`@${handle}`}
        note={handleChangeableAt ? `You can change it from ${day(handleChangeableAt)}.` : undefined}
        fixed={handleChangeableAt !== null}
        form={(close) => <ChangeHandle identity={identity} onChanged={onChanged} onDone={close} />}
      />
      <Row
        label="Email"
        value={email}
        note={pendingEmail ? `Waiting until you open the link that we sent to ${pendingEmail}.` : undefined}
        form={(close) => <ChangeAddress onChanged={onChanged} onDone={close} />}
      />
      <Row
        label="Password"
        value={passwordChangedAt ? <PasswordAge at={passwordChangedAt} /> : unchanged}
        form={(close) =>
          hasPassword ? (
            <ChangePassword handle={handle} onChanged={onChanged} onDone={close} />
          ) : (
            <SetPassword handle={handle} onDone={close} />
          )
        }
      />
    </ul>
  )
}

function PasswordAge({ at }: { at: string }) {
  return (
    <>
      Last changed: <Ago at={at} />
    </>
  )
}

type RowProps = {
  label: string
  value: ComponentChildren
  note?: string
  /** Whether the value cannot be changed now. */
  fixed?: boolean
  form: (close: () => void) => ComponentChildren
}

/** What the account has now, with a button that opens the form to change it. */
function Row({ label, value, note, fixed = false, form }: RowProps) {
  const open = useSignal(false)
  const close = () => {
    open.value = false
    requestAnimationFrame(() => document.getElementById(`change-${label}`)?.focus())
  }
  return (
    <li class="row">
      <div>
        <b>{label}</b>
        <p class="row-value">{value}</p>
        {note && <p class="hint">{note}</p>}
      </div>
      {!fixed && (
        <button
          type="button"
          id={`change-${label}`}
          class="secondary"
          aria-label={`Change ${label.toLowerCase()}`}
          aria-expanded={open.value}
          onClick={() => (open.value = !open.value)}
        >
          Change
        </button>
      )}
      {open.value && form(close)}
    </li>
  )
}
