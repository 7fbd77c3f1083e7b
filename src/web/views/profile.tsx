import { useSignal } from '@preact/signals'
import type { Account } from '../../client/wire.ts'
import { logOut } from '../api/auth.ts'
import { client } from '../api/client.ts'
import { session } from '../api/session.ts'
import { accountSignal, loadForwarded } from '../state/accounts.ts'
import { cachedList } from '../state/list.ts'
import { navigate } from '../state/location.ts'
import { storePost } from '../state/posts.ts'
import { reportError } from '../state/toasts.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Link } from '../ui/link.tsx'
import { useList } from '../ui/list-view.tsx'
import { Loading, useLoad } from '../ui/loading.tsx'
import { pluralNoun } from '../ui/plural.ts'
import { PostList } from '../ui/post-list.tsx'
import { RelationButtons } from '../ui/relation-buttons.tsx'
import { monthAndYear } from '../ui/time.tsx'
import { View } from '../ui/view.tsx'
import { EditProfile } from './edit-profile.tsx'
import { ErrorView } from './not-found.tsx'

export function Profile({ handle }: { handle: string }) {
  const account = accountSignal(handle).value
  const { error, retry } = useLoad(() => loadForwarded(handle, (current) => `/@${current}`))
  if (error.value) return <ErrorView title={`@${handle}`} error={error.value} retry={retry} />
  if (!account) return <View title={`@${handle}`} children={<Loading />} />
  return (
    <View title="Profile" windowTitle={account.displayName}>
      <ProfileCard account={account} />
      <AccountPosts key={String(account.relation?.blocking)} account={account} />
    </View>
  )
}

function AccountPosts({ account }: { account: Account }) {
  const list = cachedList(
    `posts by ${account.id}`,
    (query) => client.getAccountFeed({ ...query, accountId: account.id }),
    storePost,
  )
  useList(list)
  return (
    <PostList
      list={list}
      label={`Posts by ${account.displayName}`}
      moreLabel="Older posts"
      empty={<p>No posts to show.</p>}
    />
  )
}

function ProfileCard({ account }: { account: Account }) {
  const editing = useSignal(false)
  const { handle, displayName, bio, relation } = account
  const isOwn = account.id === session.value?.id
  const stopEditing = () => {
    editing.value = false
  }
  return (
    <section class="card profile" aria-label="Profile">
      {account.headerUrl && <img class="banner" src={account.headerUrl} alt="" width={1500} height={500} />}
      <div class="profile-head">
        <Avatar account={account} size="large" />
        <div class="actions">
          {relation && <RelationButtons account={account} relation={relation} />}
          {isOwn && <OwnProfileButtons editing={editing.value} onEdit={() => (editing.value = !editing.value)} />}
        </div>
      </div>
      <h2>{displayName}</h2>
      <p class="handle">
        @{handle} {relation?.followedBy && <span class="chip">Follows you</span>}
      </p>
      {editing.value ? <EditProfile account={account} onDone={stopEditing} /> : bio && <p class="bio">{bio}</p>}
      <Counts account={account} isOwn={isOwn} />
    </section>
  )
}

function OwnProfileButtons({ editing, onEdit }: { editing: boolean; onEdit: () => void }) {
  return (
    <>
      <button type="button" class="secondary" aria-expanded={editing} onClick={onEdit}>
        Edit profile
      </button>
      <Link href="/security" class="button secondary">
        Settings
      </Link>
      <button type="button" class="secondary" onClick={() => void logOut().then(() => navigate('/'), reportError)}>
        Log out
      </button>
    </>
  )
}

function Counts({ account, isOwn }: { account: Account; isOwn: boolean }) {
  const { handle, followerCount, followingCount, postCount, createdAt } = account
  return (
    <ul class="counts">
      <li>
        <b>{postCount}</b> {pluralNoun(postCount, 'post')}
      </li>
      <li>
        <Link href={`/@${handle}/followers`}>
          <b>{followerCount}</b> {pluralNoun(followerCount, 'follower')}
        </Link>
      </li>
      <li>
        <Link href={`/@${handle}/following`}>
          <b>{followingCount}</b> following
        </Link>
      </li>
      {isOwn && (
        <li>
          <Link href="/likes">Your likes</Link>
        </li>
      )}
      {isOwn && (
        <li>
          <Link href="/insights">Insights</Link>
        </li>
      )}
      {isOwn && (
        <li>
          <Link href="/blocked">Blocked accounts</Link>
        </li>
      )}
      <li>Joined {monthAndYear(createdAt)}</li>
    </ul>
  )
}
