import { type Signal, signal } from '@preact/signals'
import type { Media, Post } from '../../client/wire.ts'
import { client } from '../api/client.ts'
import { onAccountChange } from '../api/session.ts'
import { reportError } from './toasts.ts'

const posts = new Map<string, Signal<Post | null>>()
onAccountChange(() => posts.clear())

/** The last known state of a post, shared by all views; null when it is deleted or was never loaded. */
export function postSignal(id: string): Signal<Post | null> {
  const post = posts.get(id) ?? signal<Post | null>(null)
  posts.set(id, post)
  return post
}

export function storePost(post: Post): void {
  if (!pendingLikes.has(post.id)) postSignal(post.id).value = post
}

export async function loadPost(id: string): Promise<Post> {
  const post = await client.getPost({ postId: id })
  storePost(post)
  return post
}

/** Loads up to 50 posts at once, without those that the viewer may not read. */
export async function loadPosts(ids: string[]): Promise<Post[]> {
  const { items } = await client.listPosts({ ids })
  for (const post of items) storePost(post)
  return items
}

export async function deletePost(post: Post): Promise<void> {
  await client.deletePost({ postId: post.id })
  postSignal(post.id).value = null
  for (const id of new Set([post.rootId, post.parentId])) if (id) adjustCommentCount(id, -1)
}

export async function describeImage({ id }: Post, image: Media, alt: string): Promise<void> {
  const described = await client.describeMedia({ mediaId: image.id, alt })
  const post = postSignal(id)
  if (!post.value) return
  const media = post.value.media.map((other) => (other.id === image.id ? { ...other, alt: described.alt } : other))
  post.value = { ...post.value, media }
}

/** Changes the displayed comment count until the post is loaded again. */
export function adjustCommentCount(id: string, by: number): void {
  const post = postSignal(id)
  if (post.value) post.value = { ...post.value, commentCount: Math.max(0, post.value.commentCount + by) }
}

const pendingLikes = new Map<string, boolean>()

/** Shows the change at once, and at the end the last state that the server confirmed, so that a failure reverts it. */
export async function setLiked(id: string, liked: boolean): Promise<void> {
  const post = postSignal(id)
  let confirmed = post.value
  if (!confirmed || confirmed.liked === liked) return
  post.value = { ...confirmed, liked, likeCount: confirmed.likeCount + (liked ? 1 : -1) }
  const isRunning = pendingLikes.has(id)
  pendingLikes.set(id, liked)
  if (isRunning) return
  try {
    // The user may toggle again while a request runs: repeat until the latest choice is sent.
    for (let sent: boolean | undefined; sent !== pendingLikes.get(id); ) {
      sent = pendingLikes.get(id)
      confirmed = sent ? await client.likePost({ postId: id }) : await unlike(confirmed)
    }
  } catch (error) {
    reportError(error)
  } finally {
    pendingLikes.delete(id)
    post.value = confirmed
  }
}

/** In contrast to a new like, the response has no post, because the post may be hidden by now. */
export async function removeLike(id: string): Promise<void> {
  await client.unlikePost({ postId: id })
}

async function unlike(post: Post): Promise<Post> {
  await removeLike(post.id)
  return { ...post, liked: false, likeCount: Math.max(0, post.likeCount - (post.liked ? 1 : 0)) }
}
