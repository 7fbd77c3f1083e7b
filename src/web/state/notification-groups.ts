import type { Notification } from '../../client/wire.ts'

/**
 * Groups all follows of a day, and all likes of a post on a day, but never read with unread ones. Each group is under
 * its newest notification. The newest group comes first.
 */
export function groupNotifications(notifications: Notification[]): Map<Notification, Notification[]> {
  const groups = Map.groupBy(notifications, groupKey)
  return new Map([...groups.values()].flatMap((group) => (group[0] ? [[group[0], group]] : [])))
}

function groupKey({ id, kind, post, unread, createdAt }: Notification): string {
  if (kind !== 'like' && kind !== 'follow') return id
  return [kind, post?.id, unread, new Date(createdAt).toDateString()].join()
}

/** The accounts in a group, each once, in the order of their newest notifications. */
export function actorsOf(group: Notification[]): Notification['actor'][] {
  return [...new Map(group.map(({ actor }) => [actor.handle, actor])).values()]
}
