import type { Account } from '../../client/wire.ts'
import { Avatar } from './avatar.tsx'
import { Link } from './link.tsx'

export function AccountRow({ account }: { account: Account }) {
  const { handle, displayName, bio, relation } = account
  return (
    <article class="person">
      <Avatar account={account} />
      <div>
        <Link href={`/@${handle}`} class="author">
          <b>{displayName}</b> <span class="handle">@{handle}</span>
        </Link>
        {relation?.followedBy && <span class="chip">Follows you</span>}
        {bio && <p class="excerpt">{bio}</p>}
      </div>
    </article>
  )
}
