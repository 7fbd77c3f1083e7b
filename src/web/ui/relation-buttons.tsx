import { useSignal } from '@preact/signals'
import type { Account } from '../api/wire.ts'
import { setBlocking, setFollowing } from '../state/accounts.ts'
import { confirmed } from './dialog.tsx'
import { report, tell } from './toasts.tsx'

/** Follow and block, as they stand and to be changed. */
export function Relations({ account }: { account: Account }) {
  const busy = useSignal(false)
  const { following, blocking } = account.relation!
  const change = (work: Promise<unknown>, done: string) => {
    busy.value = true
    void work.then(() => tell(done), report).finally(() => (busy.value = false))
  }
  const follow = () =>
    change(
      setFollowing(account, !following),
      following ? `You no longer follow ${account.displayName}` : `You follow ${account.displayName}`,
    )
  const block = async () => {
    const text = 'You will not see each other, and neither follows the other any more. They are not told.'
    if (blocking) change(setBlocking(account, false), `${account.displayName} is no longer blocked`)
    else if (await confirmed(`Block ${account.displayName}?`, text, 'Block')) {
      change(setBlocking(account, true), `${account.displayName} is blocked`)
    }
  }
  return (
    <>
      <button type="button" class="secondary" disabled={busy.value} onClick={() => void block()}>
        {blocking ? 'Unblock' : 'Block'}
      </button>
      {!blocking && (
        <button type="button" class={following ? 'secondary' : ''} disabled={busy.value} onClick={follow}>
          {following ? 'Unfollow' : 'Follow'}
        </button>
      )}
    </>
  )
}
