import { useEffect } from 'preact/hooks'
import type { Notification } from '../api/wire.ts'
import { reload } from '../state/list.ts'
import { location, navigate } from '../state/location.ts'
import { actionText, markAllRead, notifications } from '../state/notifications-state.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Icon } from '../ui/icons.tsx'
import { Link } from '../ui/link.tsx'
import { ListView } from '../ui/list-view.tsx'
import { Ago } from '../ui/time.tsx'
import { View } from '../ui/view.tsx'

const icons = { follow: 'person', like: 'heart', comment: 'comment', mention: 'at' } as const

export function Notifications() {
  useEffect(() => void loadAndMarkRead(), [])
  return (
    <View title="Notifications">
      <ListView
        list={notifications}
        label="Notifications"
        moreLabel="Older notifications"
        empty={<p>Nothing yet. You’ll see here when someone follows you, likes your posts or replies to you.</p>}
        render={(notification) => <NotificationRow notification={notification} />}
      />
    </View>
  )
}

/** Loads the list unless the user went back to it, and marks all as read. New rows stay highlighted in this visit. */
async function loadAndMarkRead(): Promise<void> {
  const { status } = notifications
  if (!location.peek().back || status.peek() !== 'ready') await reload(notifications)
  if (status.peek() === 'ready') await markAllRead()
}

function NotificationRow({ notification }: { notification: Notification }) {
  const { actor, post, kind, unread } = notification
  const target = post ? `/posts/${post.id}` : `/@${actor.handle}`
  const open = (event: MouseEvent) => {
    if (!(event.target as Element).closest('a')) navigate(target)
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: only enlarges the target of the link inside
    <article class={`notification ${kind}${unread ? ' unread' : ''}`} onClick={open}>
      <span class="kind">
        <Avatar account={actor} />
        <Icon name={icons[kind]} />
      </span>
      <div>
        <p>
          {unread && <span class="visually-hidden">New: </span>}
          <Link href={`/@${actor.handle}`}>
            <b>{actor.displayName}</b>
          </Link>{' '}
          <Link href={target}>{actionText(notification)}</Link> <Ago at={notification.createdAt} />
        </p>
        {post && <p class="excerpt">{post.text || (post.media.length > 0 ? 'Image' : '')}</p>}
      </div>
    </article>
  )
}
