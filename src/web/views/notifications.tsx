import { Fragment } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import type { Notification } from '../../client/wire.ts'
import { session } from '../api/session.ts'
import { reload } from '../state/list.ts'
import { location, navigate } from '../state/location.ts'
import { actorsOf, groupNotifications } from '../state/notification-groups.ts'
import { actionText, markAllRead, notifications, refreshNotifications } from '../state/notifications-state.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Icon, type IconName } from '../ui/icons.tsx'
import { Link } from '../ui/link.tsx'
import { ListView } from '../ui/list-view.tsx'
import { Ago } from '../ui/time.tsx'
import { usePolling } from '../ui/use-polling.ts'
import { View } from '../ui/view.tsx'

const REFRESH_MS = 30_000

const icons: Record<string, IconName> = { follow: 'person', like: 'heart', comment: 'comment', mention: 'at' }

export function Notifications() {
  useEffect(() => void loadAndMarkRead(), [])
  usePolling(refreshNotifications, REFRESH_MS, [])
  const loaded = notifications.items.value
  const groups = useMemo(() => groupNotifications(loaded), [loaded])
  return (
    <View title="Notifications">
      <ListView
        list={notifications}
        items={[...groups.keys()]}
        label="Notifications"
        moreLabel="Older notifications"
        empty={<p>Nothing yet. You’ll see here when someone follows you, likes your posts or replies to you.</p>}
        render={(latest) => <NotificationRow latest={latest} group={groups.get(latest) ?? [latest]} />}
      />
    </View>
  )
}

/** Loads the list, unless the user went back to it. Then marks all as read. New rows stay highlighted in this visit. */
async function loadAndMarkRead(): Promise<void> {
  const { status } = notifications
  if (!location.peek().back || status.peek() !== 'ready') await reload(notifications)
  if (status.peek() === 'ready') await markAllRead()
}

function NotificationRow({ latest, group }: { latest: Notification; group: Notification[] }) {
  const { actor, post, kind, unread } = latest
  const actors = actorsOf(group)
  const profile = actors.length > 1 ? `/@${session.value?.handle}/followers` : `/@${actor.handle}`
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
          <Names actors={actors} /> <Link href={target}>{actionText(latest)}</Link> <Ago at={latest.createdAt} />
        </p>
        {post && <p class="excerpt">{post.text || (post.media.length > 0 ? 'Image' : '')}</p>}
      </div>
    </article>
  )
}

const MAX_NAMES = 3

/** `Ada`, `Ada and Bob`, `Ada, Bob and Carol`, or `Ada, Bob and 2 others`. */
function Names({ actors }: { actors: Notification['actor'][] }) {
  const named = actors.length > MAX_NAMES ? actors.slice(0, MAX_NAMES - 1) : actors
  const others = actors.length - named.length
  return (
    <>
      {named.map(({ handle, displayName }, index) => (
        <Fragment key={handle}>
          {index > 0 && (index === actors.length - 1 ? ' and ' : ', ')}
          <Link href={`/@${handle}`}>
            <b>{displayName}</b>
          </Link>
        </Fragment>
      ))}
      {others > 0 && ` and ${others} others`}
    </>
  )
}
