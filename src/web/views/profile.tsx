import { useSignal } from '@preact/signals'
import { logOut } from '../api/auth.ts'
import { session } from '../api/session.ts'
import type { Account, Post } from '../api/wire.ts'
import { Link, navigate, View } from '../router.tsx'
import { accountWith, readAccount } from '../state/accounts.ts'
import { listAt } from '../state/list.ts'
import { keepPost } from '../state/posts.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Timeline, useList, useRead, Waiting } from '../ui/list-view.tsx'
import { plural } from '../ui/post-card.tsx'
import { Relations } from '../ui/relation-buttons.tsx'
import { monthOf } from '../ui/time.tsx'
import { report } from '../ui/toasts.tsx'
import { EditProfile } from './edit-profile.tsx'
import { FailedView } from './not-found.tsx'

export function Profile({ handle }: { handle: string }) {
  const account = accountWith(handle).value
  const { failure, again } = useRead(() => readAccount(handle))
  if (failure.value) return <FailedView title={`@${handle}`} error={failure.value} again={again} />
  if (!account) return <View title={`@${handle}`} children={<Waiting />} />
  return (
    <View title="Profile" windowTitle={account.displayName}>
      <Card account={account} />
      <Posts key={String(account.relation?.blocking)} account={account} />
    </View>
  )
}

function Posts({ account }: { account: Account }) {
  const list = listAt<Post>(`/accounts/${account.id}/posts`, keepPost)
  useList(list)
  return (
    <Timeline
      list={list}
      label={`Posts by ${account.displayName}`}
      older="Older posts"
      empty={<p>No posts to see here.</p>}
    />
  )
}

function Card({ account }: { account: Account }) {
  const editing = useSignal(false)
  const { handle, displayName, bio, relation } = account
  const isMine = account.id === session.value?.id
  return (
    <section class="card profile" aria-label="Profile">
      <div class="profile-head">
        <Avatar of={account} size="large" />
        <div class="actions">
          {relation && <Relations account={account} />}
          {isMine && (
            <>
              <button
                type="button"
                class="secondary"
                aria-expanded={editing.value}
                onClick={() => (editing.value = !editing.value)}
              >
                Edit profile
              </button>
              <button type="button" class="secondary" onClick={() => void logOut().then(() => navigate('/'), report)}>
                Log out
              </button>
            </>
          )}
        </div>
      </div>
      <h2>{displayName}</h2>
      <p class="handle">
        @{handle} {relation?.followedBy && <span class="chip">Follows you</span>}
      </p>
      {editing.value ? (
        <EditProfile account={account} onDone={() => (editing.value = false)} />
      ) : (
        bio && <p class="bio">{bio}</p>
      )}
      <Counts account={account} isMine={isMine} />
    </section>
  )
}

function Counts({ account, isMine }: { account: Account; isMine: boolean }) {
  const { handle, followerCount, followingCount, postCount, createdAt } = account
  return (
    <ul class="counts">
      <li>
        <b>{postCount}</b> {postCount === 1 ? 'post' : 'posts'}
      </li>
      <li>
        <Link href={`/@${handle}/followers`}>
          <b>{followerCount}</b> {plural(followerCount, 'follower').replace(/^\d+ /, '')}
        </Link>
      </li>
      <li>
        <Link href={`/@${handle}/following`}>
          <b>{followingCount}</b> following
        </Link>
      </li>
      {isMine && (
        <li>
          <Link href="/blocked">Blocked accounts</Link>
        </li>
      )}
      <li class="joined">Joined {monthOf(createdAt)}</li>
    </ul>
  )
}
