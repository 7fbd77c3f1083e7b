import { computed, signal } from '@preact/signals'
import type { Post } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { onFrame, onGap } from '../api/live.ts'
import { onAccountChange, sameAccount } from '../api/session.ts'
import { collect } from './collect.ts'
import { clear, createList, fetchNewer, includes, prepend, reload } from './list.ts'
import { location } from './location.ts'
import { loadPosts, storePost } from './posts.ts'
import { announce } from './toasts.ts'

/** At most 20 requests a minute, of the 100 that an account may send. */
const MIN_LOAD_INTERVAL_MS = 3_000
const MAX_POSTS = 50
const TOP_MARGIN_PX = 120

export const homeFeed = createList<Post>(client.getHomeFeed, storePost)

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

const addArrived = collect(MIN_LOAD_INTERVAL_MS, loadArrived)

onFrame('post.published', ({ postId }) => {
  if (!includes(homeFeed, postId) && homeFeed.status.value !== 'idle') addArrived(postId)
})
onGap(() => void catchUp())

/** Loads new posts and adds them to the pending ones. Of more than a page, only notes that there are more. */
async function loadArrived(ids: string[]): Promise<void> {
  const isSame = sameAccount()
  const posts = await loadPosts(ids.slice(-MAX_POSTS)).catch(() => null)
  if (!isSame()) return
  if (posts === null || ids.length > MAX_POSTS) hasMorePending.value = true
  await addPending(posts ?? [])
}

async function catchUp(): Promise<void> {
  if (homeFeed.status.value !== 'ready') return
  const isSame = sameAccount()
  const missed = await fetchNewer(homeFeed).catch(() => null)
  if (!isSame()) return
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
