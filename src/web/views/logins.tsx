import { useSignal } from '@preact/signals'
import type { Session } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { subscribeAgain } from '../state/push.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { askConfirmation } from '../ui/dialog.tsx'
import { LoadError, Loading, useData } from '../ui/loading.tsx'
import { Ago, exactTime } from '../ui/time.tsx'
import { focusHeading } from '../ui/view.tsx'

/** The browsers and apps that are logged in to the account. All except this one can be logged out. */
export function Logins() {
  const { data, error, load } = useData(() => client.listSessions())
  const sessions = data.value?.items ?? []
  const endOne = async (session: Session) => {
    await client.endSession({ sessionId: session.id })
    await load()
    showToast(`${deviceOf(session)} was logged out`)
  }
  return (
    <section class="card settings" aria-label="Where you are logged in" aria-busy={!data.value && !error.value}>
      <h2>Where you are logged in</h2>
      {error.value !== null && <LoadError error={error.value} retry={load} />}
      {!data.value && error.value === null && <Loading />}
      <ul class="rows">
        {sessions.map((session) => (
          <Row key={session.id} session={session} end={() => endOne(session)} />
        ))}
      </ul>
      {sessions.length > 1 && <EndOthers load={load} />}
    </section>
  )
}

const deviceOf = ({ device }: Session) => device ?? 'Unknown device'

function Row({ session, end }: { session: Session; end: () => Promise<void> }) {
  const busy = useSignal(false)
  const { place, createdAt, lastUsedAt, isCurrent } = session
  const logOut = async () => {
    busy.value = true
    // The button disappears with its row, so the heading gets the focus.
    await end().then(focusHeading, reportError)
    busy.value = false
  }
  return (
    <li class="row">
      <div>
        <b>{deviceOf(session)}</b> {isCurrent && <span class="chip">This browser</span>}
        <p class="row-value">
          {place && `${place} · `}Last used: <Ago at={lastUsedAt} />
        </p>
        <p class="hint">Logged in on {exactTime(createdAt)}</p>
      </div>
      {!isCurrent && (
        <button
          type="button"
          class="secondary"
          aria-label={`Log out ${deviceOf(session)}`}
          disabled={busy.value}
          onClick={() => void logOut()}
        >
          Log out
        </button>
      )}
    </li>
  )
}

function EndOthers({ load }: { load: () => Promise<void> }) {
  const endAll = async () => {
    const text = 'Every browser and app but this one has to log in again.'
    if (!(await askConfirmation('Log out everywhere else?', text, 'Log out'))) return
    await client.endOtherSessions()
    await subscribeAgain()
    await load()
    focusHeading()
    showToast('Every other device was logged out')
  }
  return (
    <div class="actions">
      <button type="button" class="secondary" onClick={() => void endAll().catch(reportError)}>
        Log out everywhere else
      </button>
    </div>
  )
}
