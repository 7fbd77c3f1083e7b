import { useSignal } from '@preact/signals'
import type { WaitingRegistration } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { cachedList, type List, reload } from '../state/list.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { askConfirmation } from '../ui/dialog.tsx'
import { ListView, useList } from '../ui/list-view.tsx'
import { SettingsNav } from '../ui/settings-nav.tsx'
import { Ago } from '../ui/time.tsx'
import { focusHeading, View } from '../ui/view.tsx'

/** The accounts that wait until somebody of the staff approves them. */
export function Registrations() {
  const list = cachedList('registrations', client.listRegistrations)
  useList(list)
  return (
    <View title="Registrations">
      <SettingsNav />
      <p class="context">These people confirmed their address and wait for your approval. They are told by email.</p>
      <ListView
        list={list}
        label="Accounts that wait"
        empty={<p>Nobody waits for approval.</p>}
        render={(registration) => <Row registration={registration} list={list} />}
      />
    </View>
  )
}

type RowProps = { registration: WaitingRegistration; list: List<WaitingRegistration> }

function Row({ registration: { id, handle, registeredAt }, list }: RowProps) {
  const busy = useSignal(false)
  const decide = async (decision: () => Promise<unknown>, done: string) => {
    busy.value = true
    await decision().then(() => showToast(done), reportError)
    await reload(list)
    focusHeading()
    busy.value = false
  }
  const approve = () => decide(() => client.approveRegistration({ accountId: id }), `You approved @${handle}`)
  const reject = async () => {
    const text = 'The account is deleted after a day.'
    if (!(await askConfirmation(`Reject @${handle}?`, text, 'Reject'))) return
    await decide(() => client.rejectRegistration({ accountId: id }), `You rejected @${handle}`)
  }
  return (
    <article class="person entry">
      <div>
        <b>@{handle}</b>
        <p class="row-value">
          Registered: <Ago at={registeredAt} />
        </p>
      </div>
      <div class="actions">
        <button type="button" aria-label={`Approve @${handle}`} disabled={busy.value} onClick={() => void approve()}>
          Approve
        </button>
        <button
          type="button"
          class="secondary"
          aria-label={`Reject @${handle}`}
          disabled={busy.value}
          onClick={() => void reject()}
        >
          Reject
        </button>
      </div>
    </article>
  )
}
