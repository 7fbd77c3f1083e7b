import { useSignal } from '@preact/signals'
import type { Block } from '../api/wire.ts'
import { unblock } from '../state/accounts.ts'
import { cachedList, type List, reload } from '../state/list.ts'
import { reportError, showToast } from '../state/toasts.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Link } from '../ui/link.tsx'
import { ListView, useList } from '../ui/list-view.tsx'
import { View } from '../ui/view.tsx'

/** The accounts that the user blocks. Hidden ones are listed too, because they can be unblocked nowhere else. */
export function Blocked({ handle }: { handle: string }) {
  const list = cachedList<Block>('/accounts/me/blocks')
  useList(list)
  return (
    <View title="Blocked accounts">
      <p class="context">
        <Link href={`/@${handle}`}>Back to your profile</Link>
      </p>
      <ListView
        list={list}
        label="Blocked accounts"
        empty={<p>You haven’t blocked anyone.</p>}
        render={(block) => <BlockRow block={block} list={list} />}
      />
    </View>
  )
}

function BlockRow({ block: { id, account }, list }: { block: Block; list: List<Block> }) {
  const busy = useSignal(false)
  const name = account?.displayName ?? 'a hidden account'
  const undo = async () => {
    busy.value = true
    await unblock(id).then(() => showToast(`You unblocked ${name}`), reportError)
    await reload(list)
    busy.value = false
  }
  return (
    <article class="person">
      <Avatar account={account ?? { handle: '?', displayName: '?', avatarUrl: null }} />
      <div>
        {account ? (
          <Link href={`/@${account.handle}`} class="author">
            <b>{name}</b> <span class="handle">@{account.handle}</span>
          </Link>
        ) : (
          name
        )}
      </div>
      <button
        type="button"
        class="secondary"
        aria-label={`Unblock ${name}`}
        disabled={busy.value}
        onClick={() => void undo()}
      >
        Unblock
      </button>
    </article>
  )
}
