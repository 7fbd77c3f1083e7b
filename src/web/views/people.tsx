import type { Account } from '../api/wire.ts'
import { Link, View } from '../router.tsx'
import { accountWith, readAccount } from '../state/accounts.ts'
import { listAt } from '../state/list.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Pages, useList, useRead, Waiting } from '../ui/list-view.tsx'
import { FailedView } from './not-found.tsx'

type Side = 'followers' | 'following'

/** Who follows an account, or whom it follows. */
export function People({ handle, side }: { handle: string; side: Side }) {
  const account = accountWith(handle).value
  const { failure, again } = useRead(() => (account ? Promise.resolve() : readAccount(handle)))
  const title = side === 'followers' ? `Followers of @${handle}` : `Followed by @${handle}`
  if (failure.value) return <FailedView title={title} error={failure.value} again={again} />
  return (
    <View title={title}>
      <p class="context">
        <Link href={`/@${handle}`}>Back to the profile</Link>
      </p>
      {account ? <Rows account={account} side={side} title={title} /> : <Waiting />}
    </View>
  )
}

function Rows({ account, side, title }: { account: Account; side: Side; title: string }) {
  const list = listAt<Account>(`/accounts/${account.id}/${side}`)
  useList(list)
  return (
    <Pages
      list={list}
      label={title}
      empty={<p>Nobody yet.</p>}
      show={({ handle, displayName, bio, relation }) => (
        <article class="person">
          <Avatar of={{ handle, displayName }} />
          <div>
            <Link href={`/@${handle}`} class="author">
              <b>{displayName}</b> <span class="handle">@{handle}</span>
            </Link>
            {relation?.followedBy && <span class="chip">Follows you</span>}
            {bio && <p class="excerpt">{bio}</p>}
          </div>
        </article>
      )}
    />
  )
}
