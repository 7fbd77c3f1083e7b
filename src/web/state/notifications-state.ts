import { signal } from '@preact/signals'
import { call, get } from '../api/api.ts'
import { onFrame, onGap } from '../api/realtime.ts'
import { onAccountChange } from '../api/session.ts'
import type { Notification, UnreadCount } from '../api/wire.ts'
import { location } from '../router.tsx'
import { report, tell } from '../ui/toasts.tsx'
import { clear, makeList, prepend, readNews, reload } from './list.ts'
import { keepPost } from './posts.ts'

const READ_EVERY_MS = 2_000
const MOST_COUNTED = 100

export const inbox = makeList<Notification>('/notifications', ({ post }) => post && keepPost(post))

/** Unread notifications, counted to a hundred. */
export const unread = signal(0)
export const unreadLabel = () => (unread.value >= MOST_COUNTED ? '99+' : String(unread.value))

/** The notification that arrived last, for views that show what it is about. */
export const latest = signal<Notification | null>(null)

onAccountChange(() => {
  clear(inbox)
  unread.value = 0
  latest.value = null
})

const verbs = {
  follow: 'followed you',
  like: 'liked your post',
  comment: 'commented on your post',
  mention: 'mentioned you',
}

/** What the actor did, as it is told. */
export function verbOf({ kind, post }: Notification): string {
  if (kind === 'like' && post?.parentId) return 'liked your comment'
  if (kind === 'comment' && post?.parentId !== post?.rootId) return 'answered your comment'
  return verbs[kind]
}

let readings = 0

export async function markRead(): Promise<void> {
  if (unread.value === 0 && !inbox.items.value.some((item) => item.unread)) return
  readings += 1
  unread.value = 0
  await call('PUT', '/notifications/read').catch(report)
}

async function recount(): Promise<void> {
  const before = readings
  const { count } = await get<UnreadCount>('/notifications/unread-count')
  if (before === readings) unread.value = count
}

onGap(() => {
  recount().catch(() => {})
  if (inbox.state.value === 'ready') void reload(inbox)
})

let arrived: string[] = []
let lastRead = Number.NEGATIVE_INFINITY

// Many may arrive at a time: the list is read once for all of them.
onFrame('notification', ({ id }) => {
  unread.value = Math.min(MOST_COUNTED, unread.value + 1)
  arrived.push(id!)
  if (arrived.length > 1) return
  const wait = Math.max(0, lastRead + READ_EVERY_MS - performance.now())
  setTimeout(() => void readArrived(), wait)
})

async function readArrived(): Promise<void> {
  lastRead = performance.now()
  const ids = arrived
  arrived = []
  const news = inbox.state.value === 'ready' ? await readNews(inbox).catch(() => []) : null
  if (news === null) await reload(inbox)
  else prepend(inbox, news)
  const fresh = inbox.items.value.filter((item) => ids.includes(item.id))
  const [first] = fresh
  if (first) {
    latest.value = first
    tell(`${first.actor.displayName} ${verbOf(first)}${fresh.length > 1 ? `, and ${fresh.length - 1} more` : ''}`)
  }
  if (location.value.path === '/notifications' && !document.hidden) await markRead()
}
