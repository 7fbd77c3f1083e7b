import type { Notification } from '../api/wire.ts'

/** Groups likes by post and day, and follows by day. Read and unread ones stay apart. The newest group is first. */
export function groupNotifications(notifications: Notification[]): Map<Notification, Notification[]> {
  const groups = Map.groupBy(notifications, groupKey)
  return new Map([...groups.values()].flatMap((group) => (group[0] ? [[group[0], group]] : [])))
}

function groupKey({ id, kind, post, unread, createdAt }: Notification): string {
  if (kind !== 'like' && kind !== 'follow') return id
  return [kind, post?.id, unread, new Date(createdAt).toDateString()].join()
}

/** The different accounts in a group, newest first. */
export function actorsOf(group: Notification[]): Notification['actor'][] {
  return [...new Map(group.map(({ actor }) => [actor.handle, actor])).values()]
}
