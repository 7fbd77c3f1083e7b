import { useSignal } from '@preact/signals'
import type { SecondFactors as Factors } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { askConfirmation } from '../ui/dialog.tsx'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { day } from '../ui/time.tsx'
import { focusHeading } from '../ui/view.tsx'
import { Passkeys } from './passkeys.tsx'
import { type OnCodes, RecoveryCodes } from './recovery-codes.tsx'
import { SetUpTotp } from './set-up-totp.tsx'

/** What a login needs besides the password. */
export function SecondFactors() {
  const { data, error, load } = useData(() => client.readSecondFactors())
  const codes = useSignal<string[] | null>(null)
  const onCodes = async (made: string[] | null) => {
    codes.value = made
    await load()
  }
  return (
    <section class="card settings" aria-label="Second factors" aria-busy={!data.value && !error.value}>
      <h2>Second factors</h2>
      <p>With a second factor, your password alone is not enough to log in.</p>
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      {!data.value && error.value === null && <Loading />}
      {codes.value && <RecoveryCodes codes={codes.value} onDone={() => (codes.value = null)} />}
      {data.value && (
        <ul class="rows">
          <AppRow factors={data.value} onCodes={onCodes} />
          <Passkeys onCodes={onCodes} />
          {isOn(data.value) && <CodesRow left={data.value.recoveryCodes} onCodes={onCodes} />}
        </ul>
      )}
    </section>
  )
}

const isOn = ({ totpSince, passkeys }: Factors) => totpSince !== null || passkeys > 0

function AppRow({ factors, onCodes }: { factors: Factors; onCodes: OnCodes }) {
  const open = useSignal(false)
  const close = () => {
    open.value = false
  }
  const remove = async () => {
    const text = 'A login no longer needs its codes. Other second factors stay.'
    if (!(await askConfirmation('Remove the authenticator app?', text, 'Remove'))) return
    await client.removeTotp()
    await onCodes(null)
    focusHeading()
    showToast('Authenticator app removed')
  }
  const { totpSince } = factors
  return (
    <li class="row">
      <div>
        <b>Authenticator app</b>
        <p class="row-value">{totpSince ? `Set up on ${day(totpSince)}` : 'Not set up'}</p>
      </div>
      {totpSince ? (
        <button type="button" class="secondary" onClick={() => void remove().catch(reportError)}>
          Remove
        </button>
      ) : (
        <button
          type="button"
          class="secondary"
          aria-label="Set up an authenticator app"
          aria-expanded={open.value}
          onClick={() => (open.value = !open.value)}
        >
          Set up
        </button>
      )}
      {open.value && !totpSince && <SetUpTotp onCodes={onCodes} onDone={close} />}
    </li>
  )
}

function CodesRow({ left, onCodes }: { left: number; onCodes: OnCodes }) {
  const replace = async () => {
    const text = 'The codes that you have now stop working.'
    if (!(await askConfirmation('Make new recovery codes?', text, 'Make new codes'))) return
    await onCodes((await client.replaceRecoveryCodes()).recoveryCodes)
  }
  return (
    <li class="row">
      <div>
        <b>Recovery codes</b>
        <p class="row-value">{left} left</p>
        <p class="hint">Without your second factors and these codes, nobody can restore your access.</p>
      </div>
      <button type="button" class="secondary" onClick={() => void replace().catch(reportError)}>
        Make new codes
      </button>
    </li>
  )
}
