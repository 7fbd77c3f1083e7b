import { computed, signal } from '@preact/signals'
import { isNotFound } from '../api/http.ts'
import { onFrame, onGap } from '../api/realtime.ts'
import { onAccountChange } from '../api/session.ts'
import type { Post } from '../api/wire.ts'
import { location } from '../router.tsx'
import { say } from '../ui/toasts.tsx'
import { clear, includes, makeList, prepend, readNews, reload } from './list.ts'
import { keepPost, readPost } from './posts.ts'

const READS_PER_MINUTE = 20
const NEAR_TOP = 120

export const home = makeList<Post>('/feeds/home', keepPost)

/** Posts that have arrived while their reader was busy further down, or elsewhere. */
const waiting = signal<Post[]>([])
const overflow = signal(false)

/** How many wait, as people read it; empty for none. */
export const news = computed(() => {
  if (overflow.value) return 'New posts'
  const { length } = waiting.value
  return length === 0 ? '' : length === 1 ? '1 new post' : `${length} new posts`
})

onAccountChange(() => {
  clear(home)
  empty()
})

function empty(): void {
  waiting.value = []
  overflow.value = false
}

/** Reads the feed when one goes to it; whoever comes back finds it as it was. */
export function visitHome(): void {
  if (location.value.back && home.state.value === 'ready') return
  empty()
  void reload(home)
}

/** Puts what waits at the top of the feed. */
export async function showNews(): Promise<void> {
  const arrived = newestFirst(waiting.value)
  const stale = overflow.value
  empty()
  if (stale) await reload(home)
  else prepend(home, arrived)
}

/** Makes the next visit read the feed anew: whom one follows has changed. */
export function refreshHome(): void {
  empty()
  clear(home)
}

onFrame('post.published', ({ postId }) => void arrive(postId!))
onGap(() => void catchUp())

let reads: number[] = []

/** A busy network would have us read a post a second: beyond a few, we only say that there are some. */
async function arrive(postId: string): Promise<void> {
  if (includes(home, postId) || home.state.value === 'idle') return
  const now = performance.now()
  reads = reads.filter((at) => at > now - 60_000)
  if (reads.length >= READS_PER_MINUTE) {
    overflow.value = true
    return
  }
  reads.push(now)
  const post = await readPost(postId).catch((error: unknown) => {
    if (!isNotFound(error)) overflow.value = true
    return null
  })
  if (post) await offer([post])
}

async function catchUp(): Promise<void> {
  if (home.state.value !== 'ready') return
  const missed = await readNews(home).catch(() => null)
  if (missed === null) overflow.value = true
  await offer(missed ?? [])
}

async function offer(posts: Post[]): Promise<void> {
  waiting.value = [...waiting.value, ...posts.filter((post) => !includes(home, post.id))]
  if (news.value === '') return
  const [first] = posts
  say(posts.length === 1 && first ? `New post by ${first.author.displayName}` : news.value)
  if (atTop()) await showNews()
}

// Whoever reads further down, or moves through the feed by keyboard, decides when it moves.
function atTop(): boolean {
  const reading = document.activeElement?.closest('[data-feed] article')
  return location.value.path === '/' && scrollY < NEAR_TOP && !reading
}

function newestFirst(posts: Post[]): Post[] {
  return [...posts].sort((a, b) => b.id.length - a.id.length || (a.id < b.id ? 1 : -1))
}
