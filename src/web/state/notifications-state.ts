import { signal } from '@preact/signals'
import type { Notification } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { onFrame, onGap } from '../api/live.ts'
import { onAccountChange, sameAccount } from '../api/session.ts'
import { collect } from './collect.ts'
import { clear, createList, fetchNewer, prepend, refresh, reload } from './list.ts'
import { location } from './location.ts'
import { storePost } from './posts.ts'
import { reportError, showToast } from './toasts.ts'

const MIN_LOAD_INTERVAL_MS = 2_000
const MAX_COUNT = 100

export const notifications = createList<Notification>(client.listNotifications, ({ post }) => post && storePost(post))

/** The number of unread notifications, at most 100. */
export const unreadCount = signal(0)
export const unreadLabel = () => (unreadCount.value >= MAX_COUNT ? '99+' : String(unreadCount.value))

/** The notification that arrived last, for views that show its post. */
export const latestNotification = signal<Notification | null>(null)

onAccountChange(() => {
  clear(notifications)
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
export function actionText({ kind, post }: Notification): string {
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

/** No frame announces that an action was withdrawn, which removes its notification. */
export async function refreshNotifications(): Promise<void> {
  await Promise.all([refresh(notifications), loadUnreadCount()])
}

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
  const newer = notifications.status.value === 'ready' ? await fetchNewer(notifications).catch(() => []) : null
  if (!isSame()) return
  if (newer === null) await reload(notifications)
  else prepend(notifications, newer)
  if (!isSame()) return
  const arrived = notifications.items.value.filter(({ id }) => ids.includes(id))
  const [first] = arrived
  if (first) {
    latestNotification.value = first
    const others = arrived.length > 1 ? `, and ${arrived.length - 1} more` : ''
    showToast(`${first.actor.displayName} ${actionText(first)}${others}`)
  }
  if (location.value.path === '/notifications' && !document.hidden) await markAllRead()
}
