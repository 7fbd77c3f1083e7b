import { signal } from '@preact/signals'
import type { NotificationGroup, NotificationKind } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { onFrame, onGap } from '../api/live.ts'
import { onAccountChange, sameAccount } from '../api/session.ts'
import { collect } from './collect.ts'
import { clear, createList, refresh, reload } from './list.ts'
import { location } from './location.ts'
import { storePost } from './posts.ts'
import { reportError, showToast } from './toasts.ts'

const MIN_LOAD_INTERVAL_MS = 2_000
const MAX_COUNT = 100

/** Null for all kinds. */
export const shownKind = signal<NotificationKind | null>(null)

export const notifications = createList<NotificationGroup>(
  (query) => client.listNotificationGroups({ ...query, kind: shownKind.peek() ?? undefined }),
  ({ post }) => post && storePost(post),
)

export function showKind(kind: NotificationKind | null): void {
  shownKind.value = kind
  clear(notifications)
  void reload(notifications)
}

/** The number of unread notifications, at most 100. */
export const unreadCount = signal(0)
export const unreadLabel = () => (unreadCount.value >= MAX_COUNT ? '99+' : String(unreadCount.value))

/** The notification that arrived last, for views that show its post. */
export const latestNotification = signal<NotificationGroup | null>(null)

onAccountChange(() => {
  clear(notifications)
  shownKind.value = null
  unreadCount.value = 0
  latestNotification.value = null
})

const actionTexts: Record<string, string> = {
  follow: 'followed you',
  like: 'liked your post',
  comment: 'commented on your post',
  mention: 'mentioned you',
}

/** What the actor did, as the end of a sentence that starts with the actor's name. */
export function actionText({ kind, post }: NotificationGroup): string {
  if (kind === 'like' && post?.parentId) return 'liked your comment'
  if (kind === 'comment' && post?.parentId !== post?.rootId) return 'replied to your comment'
  return actionTexts[kind] ?? 'sent you a notification'
}

let markedRead = 0

export async function markAllRead(): Promise<void> {
  if (unreadCount.value === 0 && !notifications.items.value.some(({ unread }) => unread)) return
  markedRead += 1
  unreadCount.value = 0
  await client.markNotificationsRead().catch(reportError)
}

async function loadUnreadCount(): Promise<void> {
  const before = markedRead
  const { count } = await client.countUnreadNotifications()
  // A count requested before the notifications were marked as read is outdated.
  if (before === markedRead) unreadCount.value = count
}

/** What was unread when it was shown stays highlighted. */
export async function refreshNotifications(): Promise<void> {
  const keep = (shown: NotificationGroup, now: NotificationGroup) => ({ ...now, unread: shown.unread })
  await Promise.all([refresh(notifications, keep), loadUnreadCount()])
}

const removeWithdrawn = collect(MIN_LOAD_INTERVAL_MS, () => refreshNotifications().catch(() => {}))

onFrame('notification.withdrawn', ({ postId, ids: [id] }) => removeWithdrawn(postId ?? id ?? ''))

onGap(() => {
  loadUnreadCount().catch(() => {})
  if (notifications.status.value === 'ready') void reload(notifications)
})

const addArrived = collect(MIN_LOAD_INTERVAL_MS, loadArrived)

onFrame('notification', ({ id }) => {
  unreadCount.value = Math.min(MAX_COUNT, unreadCount.value + 1)
  addArrived(id)
})

async function loadArrived(ids: string[]): Promise<void> {
  const isSame = sameAccount()
  if (notifications.status.value === 'ready') await refreshNotifications().catch(() => {})
  else await reload(notifications)
  if (!isSame()) return
  const arrived = notifications.items.value.filter(({ id }) => ids.includes(id))
  const [first] = arrived
  if (first) {
    latestNotification.value = first
    const others = arrived.length > 1 ? `, and ${arrived.length - 1} more` : ''
    showToast(`${first.actors[0]?.displayName} ${actionText(first)}${others}`)
  }
  if (location.value.path === '/notifications' && !document.hidden) await markAllRead()
}
