import { useSignal } from '@preact/signals'
import { unblock } from './accounts.ts'
import { report, tell } from './announce.tsx'
import { Avatar } from './avatar.tsx'
import { type List, listAt, reload } from './list.ts'
import { Link, View } from './router.tsx'
import { session } from './session.ts'
import { Pages, useList } from './timeline.tsx'
import type { Block } from './wire.ts'

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
