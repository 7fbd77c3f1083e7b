import { useEffect } from 'preact/hooks'
import type { Notification } from '../api/wire.ts'
import { Link, location, navigate, View } from '../router.tsx'
import { reload } from '../state/list.ts'
import { inbox, markRead, verbOf } from '../state/notifications-state.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Icon } from '../ui/icons.tsx'
import { Pages } from '../ui/list-view.tsx'
import { Ago } from '../ui/time.tsx'

const icons = { follow: 'person', like: 'heart', comment: 'comment', mention: 'at' } as const

export function Notifications() {
  useEffect(() => {
    const ready = location.peek().back && inbox.state.peek() === 'ready' ? Promise.resolve() : reload(inbox)
    // They stay marked as new on this visit; only the count goes.
    void ready.then(() => (inbox.state.peek() === 'ready' ? markRead() : undefined))
  }, [])
  return (
    <View title="Notifications">
      <Pages
        list={inbox}
        label="Notifications"
        older="Earlier"
        empty={<p>Nothing yet. When someone follows you, or likes or answers your posts, it shows here.</p>}
        show={(item) => <Row item={item} />}
      />
    </View>
  )
}

function Row({ item }: { item: Notification }) {
  const { actor, post, kind, unread } = item
  const target = post ? `/posts/${post.id}` : `/@${actor.handle}`
  const open = (event: MouseEvent) => {
    if (!(event.target as Element).closest('a')) navigate(target)
  }
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a larger target for a link that the row holds
    <article class={`notification ${kind}${unread ? ' unread' : ''}`} onClick={open}>
      <span class="kind">
        <Avatar of={actor} />
        <Icon name={icons[kind]} />
      </span>
      <div>
        <p>
          {unread && <span class="unseen">New: </span>}
          <Link href={`/@${actor.handle}`}>
            <b>{actor.displayName}</b>
          </Link>{' '}
          <Link href={target} class="what">
            {verbOf(item)}
          </Link>{' '}
          <Ago at={item.createdAt} />
        </p>
        {post && <p class="excerpt">{post.text || (post.media.length > 0 ? 'An image' : '')}</p>}
      </div>
    </article>
  )
}
