import { useSignal } from '@preact/signals'
import type { Account } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { type Relation, setBlocking, setFollowing } from '../state/accounts.ts'
import { navigate } from '../state/location.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { askConfirmation } from './dialog.tsx'
import { Menu } from './menu.tsx'
import { focusHeading } from './view.tsx'

export function RelationButtons({ account, relation }: { account: Account; relation: Relation }) {
  const busy = useSignal(false)
  const { following, blocking } = relation
  const { displayName: name, handle } = account
  const change = async (work: Promise<unknown>, message: string) => {
    busy.value = true
    await work.then(() => showToast(message), reportError)
    busy.value = false
  }
  const toggleFollow = () =>
    change(setFollowing(account, !following), following ? `You no longer follow ${name}` : `You now follow ${name}`)
  const block = async () => {
    const text = 'You will no longer see or follow each other. The other person is not notified.'
    if (!(await askConfirmation(`Block ${name}?`, text, 'Block'))) return
    // The menu has the focus, but disappears for a blocked account. So the heading gets the focus.
    await change(setBlocking(account, true).then(focusHeading), `You blocked ${name}`)
  }
  const unblock = () => change(setBlocking(account, false), `You unblocked ${name}`)
  const [label, act] = blocking ? ['Unblock', unblock] : [following ? 'Unfollow' : 'Follow', toggleFollow]
  return (
    <>
      <button
        type="button"
        class={blocking || following ? 'secondary' : ''}
        disabled={busy.value}
        onClick={() => void act()}
      >
        {label}
      </button>
      {!blocking && <MessageButton accountId={account.id} />}
      {!blocking && (
        <Menu
          label="More"
          actions={[{ label: `Block @${handle}`, disabled: busy.value, onSelect: () => void block() }]}
        />
      )}
    </>
  )
}

function MessageButton({ accountId }: { accountId: string }) {
  const write = async () => {
    const { id } = await client.openConversation({ accountId })
    navigate(`/messages/${id}`)
  }
  return (
    <button type="button" class="secondary" onClick={() => void write().catch(reportError)}>
      Message
    </button>
  )
}
