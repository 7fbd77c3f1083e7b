import type { Block } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { unblock } from '../state/accounts.ts'
import { cachedList, type List } from '../state/list.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Link } from '../ui/link.tsx'
import { ListView, useList } from '../ui/list-view.tsx'
import { RemovableRow } from '../ui/removable-row.tsx'
import { View } from '../ui/view.tsx'

/** The accounts that the user blocks. Hidden ones are listed too, because they can be unblocked nowhere else. */
export function Blocked({ handle }: { handle: string }) {
  const list = cachedList('blocks', client.listBlocks)
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
  const name = account?.displayName ?? 'a hidden account'
  return (
    <RemovableRow
      list={list}
      action="Unblock"
      name={`Unblock ${name}`}
      done={`You unblocked ${name}`}
      remove={() => unblock(id)}
    >
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
    </RemovableRow>
  )
}
