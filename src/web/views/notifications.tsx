import { Fragment } from 'preact'
import { useEffect } from 'preact/hooks'
import type { NotificationGroup, NotificationKind } from '../../client/wire.ts'
import { session } from '../api/session.ts'
import { reload } from '../state/list.ts'
import { location, navigate } from '../state/location.ts'
import {
  actionText,
  markAllRead,
  notifications,
  refreshNotifications,
  showKind,
  shownKind,
} from '../state/notifications-state.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Icon, type IconName } from '../ui/icons.tsx'
import { Link } from '../ui/link.tsx'
import { ListView } from '../ui/list-view.tsx'
import { Ago } from '../ui/time.tsx'
import { usePolling } from '../ui/use-polling.ts'
import { View } from '../ui/view.tsx'

const REFRESH_MS = 30_000

const icons: Record<string, IconName> = { follow: 'person', like: 'heart', comment: 'comment', mention: 'at' }
const filters: [NotificationKind | null, string][] = [
  [null, 'All'],
  ['mention', 'Mentions'],
  ['comment', 'Replies'],
  ['like', 'Likes'],
  ['follow', 'Followers'],
]

export function Notifications() {
  useEffect(() => void loadAndMarkRead(), [])
  usePolling(refreshNotifications, REFRESH_MS, [])
  return (
    <View title="Notifications">
      <Filters />
      <ListView
        list={notifications}
        label="Notifications"
        moreLabel="Older notifications"
        empty={<p>Nothing yet. You’ll see here when someone follows you, likes your posts or replies to you.</p>}
        render={(group) => <NotificationRow group={group} />}
      />
    </View>
  )
}

function Filters() {
  return (
    <nav class="settings-nav" aria-label="Kinds of notifications">
      <ul>
        {filters.map(([kind, label]) => (
          <li key={label}>
            <button
              type="button"
              class="tab"
              aria-pressed={shownKind.value === kind}
              onClick={() => shownKind.value !== kind && showKind(kind)}
            >
              {label}
            </button>
          </li>
        ))}
        <li>
          <Link href="/security/notifications" class="tab">
            Settings
          </Link>
        </li>
      </ul>
    </nav>
  )
}

/** Loads the list, unless the user went back to it. Then marks all as read. New rows stay highlighted in this visit. */
async function loadAndMarkRead(): Promise<void> {
  const { status } = notifications
  if (!location.peek().back || status.peek() !== 'ready') await reload(notifications)
  if (status.peek() === 'ready') await markAllRead()
}

function NotificationRow({ group }: { group: NotificationGroup }) {
  const { actors, actorCount, post, kind, unread, createdAt } = group
  const [actor] = actors
  if (!actor) return null
  const profile = actorCount > 1 ? `/@${session.value?.handle}/followers` : `/@${actor.handle}`
  const target = post ? `/posts/${post.id}` : profile
  const open = (event: MouseEvent) => {
    if (!(event.target as Element).closest('a')) navigate(target)
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: only enlarges the target of the link inside
    <article class={`notification ${kind}${unread ? ' unread' : ''}`} onClick={open}>
      <span class="kind">
        <Avatar account={actor} />
        <Icon name={icons[kind] ?? 'bell'} />
      </span>
      <div>
        <p>
          {unread && <span class="visually-hidden">New: </span>}
          <Names actors={actors} count={actorCount} /> <Link href={target}>{actionText(group)}</Link>{' '}
          <Ago at={createdAt} />
        </p>
        {post && <p class="excerpt">{post.text || (post.media.length > 0 ? 'Image' : '')}</p>}
      </div>
    </article>
  )
}

const MAX_NAMES = 3
const MAX_COUNTED = 1_000

/** `Ada`, `Ada and Bob`, `Ada, Bob and Carol`, or `Ada, Bob and 2 others`. */
function Names({ actors, count }: { actors: NotificationGroup['actors']; count: number }) {
  const named = count > MAX_NAMES ? actors.slice(0, MAX_NAMES - 1) : actors
  const others = count - named.length
  return (
    <>
      {named.map(({ handle, displayName }, index) => (
        <Fragment key={handle}>
          {index > 0 && (index === count - 1 ? ' and ' : ', ')}
          <Link href={`/@${handle}`}>
            <b>{displayName}</b>
          </Link>
        </Fragment>
      ))}
      {others > 0 && ` and ${others}${count >= MAX_COUNTED ? '+' : ''} ${others === 1 ? 'other' : 'others'}`}
    </>
  )
}
