import { useSignal } from '@preact/signals'
import type { Account } from '../api/wire.ts'
import { type Relation, setBlocking, setFollowing } from '../state/accounts.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { askConfirmation } from './dialog.tsx'

export function RelationButtons({ account, relation }: { account: Account; relation: Relation }) {
  const busy = useSignal(false)
  const { following, blocking } = relation
  const name = account.displayName
  const change = (work: Promise<unknown>, message: string) => {
    busy.value = true
    void work.then(() => showToast(message), reportError).finally(() => (busy.value = false))
  }
  const toggleFollow = () =>
    change(setFollowing(account, !following), following ? `You no longer follow ${name}` : `You now follow ${name}`)
  const toggleBlock = async () => {
    const text = 'You will no longer see or follow each other. The other person is not notified.'
    if (blocking) change(setBlocking(account, false), `You unblocked ${name}`)
    else if (await askConfirmation(`Block ${name}?`, text, 'Block'))
      change(setBlocking(account, true), `You blocked ${name}`)
  }
  return (
    <>
      <button type="button" class="secondary" disabled={busy.value} onClick={() => void toggleBlock()}>
        {blocking ? 'Unblock' : 'Block'}
      </button>
      {!blocking && (
        <button type="button" class={following ? 'secondary' : ''} disabled={busy.value} onClick={toggleFollow}>
          {following ? 'Unfollow' : 'Follow'}
        </button>
      )}
    </>
  )
}
