import { computed, signal } from '@preact/signals'
import type { Post } from '../../client/wire.ts'
import { isNotFound } from '../api/http.ts'
import { onFrame, onGap } from '../api/realtime.ts'
import { onAccountChange } from '../api/session.ts'
import { clear, createList, fetchNewer, includes, prepend, reload } from './list.ts'
import { location } from './location.ts'
import { loadPost, storePost } from './posts.ts'
import { announce } from './toasts.ts'

const LOADS_PER_MINUTE = 20
const TOP_MARGIN_PX = 120

export const homeFeed = createList<Post>('/feeds/home', storePost)

/** New posts that are not inserted yet, so that the feed does not move while someone reads it. */
const pendingPosts = signal<Post[]>([])
/** Set when there are more new posts than `pendingPosts` contains. Showing the new posts then reloads the feed. */
const hasMorePending = signal(false)

/** The number of pending posts as text; empty if there are none. */
export const newPostsLabel = computed(() => {
  if (hasMorePending.value) return 'New posts'
  const { length } = pendingPosts.value
  return length === 0 ? '' : length === 1 ? '1 new post' : `${length} new posts`
})

onAccountChange(invalidateHomeFeed)

/** Loads the feed when its view opens, unless the user went back to the view, which then shows the feed unchanged. */
export function openHomeFeed(): void {
  if (location.value.back && homeFeed.status.value === 'ready') return
  clearPending()
  void reload(homeFeed)
}

export async function showNewPosts(): Promise<void> {
  const posts = newestFirst(pendingPosts.value)
  const mustReload = hasMorePending.value
  clearPending()
  if (mustReload) await reload(homeFeed)
  else prepend(homeFeed, posts)
}

/** Makes the next visit load the feed again. */
export function invalidateHomeFeed(): void {
  clearPending()
  clear(homeFeed)
}

function clearPending(): void {
  pendingPosts.value = []
  hasMorePending.value = false
}

onFrame('post.published', ({ postId }) => {
  if (postId) void loadNewPost(postId)
})
onGap(() => void catchUp())

let recentLoads: number[] = []

/** Loads a new post and adds it to the pending ones. Beyond 20 per minute, only notes that there are more. */
async function loadNewPost(id: string): Promise<void> {
  if (includes(homeFeed, id) || homeFeed.status.value === 'idle') return
  const now = performance.now()
  recentLoads = recentLoads.filter((at) => at > now - 60_000)
  if (recentLoads.length >= LOADS_PER_MINUTE) {
    hasMorePending.value = true
    return
  }
  recentLoads.push(now)
  const post = await loadPost(id).catch((error: unknown) => {
    if (!isNotFound(error)) hasMorePending.value = true
    return null
  })
  if (post) await addPending([post])
}

async function catchUp(): Promise<void> {
  if (homeFeed.status.value !== 'ready') return
  const missed = await fetchNewer(homeFeed).catch(() => null)
  if (missed === null) hasMorePending.value = true
  await addPending(missed ?? [])
}

async function addPending(posts: Post[]): Promise<void> {
  pendingPosts.value = [...pendingPosts.value, ...posts.filter((post) => !includes(homeFeed, post.id))]
  if (newPostsLabel.value === '') return
  const [first] = posts
  announce(posts.length === 1 && first ? `New post by ${first.author.displayName}` : newPostsLabel.value)
  if (isAtTop()) await showNewPosts()
}

// Pending posts are inserted without a click only if the user is at the top of the feed and no post has the focus.
function isAtTop(): boolean {
  const isFocused = document.activeElement?.closest('[data-feed] article')
  return location.value.path === '/' && scrollY < TOP_MARGIN_PX && !isFocused
}

// Ids are decimal numbers, so a longer one is greater.
function newestFirst(posts: Post[]): Post[] {
  return [...posts].sort((a, b) => b.id.length - a.id.length || (a.id < b.id ? 1 : -1))
}
