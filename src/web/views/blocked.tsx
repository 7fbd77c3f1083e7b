import { useSignal } from '@preact/signals'
import { session } from '../api/session.ts'
import type { Block } from '../api/wire.ts'
import { Link, View } from '../router.tsx'
import { unblock } from '../state/accounts.ts'
import { type List, listAt, reload } from '../state/list.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Pages, useList } from '../ui/list-view.tsx'
import { report, tell } from '../ui/toasts.tsx'

/** Whom one blocks. Who is hidden from one stands there too, since nowhere else could the block be taken back. */
export function Blocked() {
  const list = listAt<Block>('/accounts/me/blocks')
  useList(list)
  return (
    <View title="Blocked accounts">
      <p class="context">
        <Link href={`/@${session.value!.handle}`}>Back to your profile</Link>
      </p>
      <Pages
        list={list}
        label="Blocked accounts"
        empty={<p>You block nobody.</p>}
        show={(block) => <Row block={block} list={list} />}
      />
    </View>
  )
}

function Row({ block: { id, account }, list }: { block: Block; list: List<Block> }) {
  const busy = useSignal(false)
  const name = account?.displayName ?? 'An account that is hidden from you'
  const letGo = () => {
    busy.value = true
    void unblock(id)
      .then(() => tell(`${name} is no longer blocked`), report)
      .then(() => reload(list))
      .finally(() => (busy.value = false))
  }
  return (
    <article class="person">
      <Avatar of={account ?? { handle: '?', displayName: '?' }} />
      <div>
        {account ? (
          <Link href={`/@${account.handle}`} class="author">
            <b>{name}</b> <span class="handle">@{account.handle}</span>
          </Link>
        ) : (
          name
        )}
      </div>
      <button type="button" class="secondary" aria-label={`Unblock ${name}`} disabled={busy.value} onClick={letGo}>
        Unblock
      </button>
    </article>
  )
}
