import type { Account } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { accountSignal, loadForwarded } from '../state/accounts.ts'
import { cachedList } from '../state/list.ts'
import { AccountRow } from '../ui/account-row.tsx'
import { Link } from '../ui/link.tsx'
import { ListView, useList } from '../ui/list-view.tsx'
import { Loading, useLoad } from '../ui/loading.tsx'
import { View } from '../ui/view.tsx'
import { ErrorView } from './not-found.tsx'

type Direction = 'followers' | 'following'

export function People({ handle, direction }: { handle: string; direction: Direction }) {
  const account = accountSignal(handle).value
  const { error, retry } = useLoad(async () => {
    if (!account) await loadForwarded(handle, (current) => `/@${current}/${direction}`)
  })
  const title = direction === 'followers' ? `Followers of @${handle}` : `Followed by @${handle}`
  if (error.value) return <ErrorView title={title} error={error.value} retry={retry} />
  return (
    <View title={title}>
      <p class="context">
        <Link href={`/@${handle}`}>Back to profile</Link>
      </p>
      {account ? <AccountList account={account} direction={direction} title={title} /> : <Loading />}
    </View>
  )
}

function AccountList({ account, direction, title }: { account: Account; direction: Direction; title: string }) {
  const read = direction === 'followers' ? client.listFollowers : client.listFollowing
  const list = cachedList(`${direction} of ${account.id}`, (query) => read({ ...query, accountId: account.id }))
  useList(list)
  return (
    <ListView
      list={list}
      label={title}
      empty={<p>No one yet.</p>}
      render={(listed) => <AccountRow account={listed} />}
    />
  )
}
