import { type Signal, signal } from '@preact/signals'
import { call, get } from '../api/api.ts'
import { onAccountChange } from '../api/session.ts'
import type { Post } from '../api/wire.ts'
import { report } from '../ui/toasts.tsx'

const posts = new Map<string, Signal<Post | null>>()
onAccountChange(() => posts.clear())

/** A post as last seen, in every view that shows it; null when it is gone or was never seen. */
export function postWith(id: string): Signal<Post | null> {
  const held = posts.get(id) ?? signal<Post | null>(null)
  posts.set(id, held)
  return held
}

export function keepPost(post: Post): void {
  if (!wanted.has(post.id)) postWith(post.id).value = post
}

export async function readPost(id: string): Promise<Post> {
  const post = await get<Post>(`/posts/${id}`)
  keepPost(post)
  return post
}

export async function deletePost(post: Post): Promise<void> {
  await call('DELETE', `/posts/${post.id}`)
  postWith(post.id).value = null
  for (const id of new Set([post.rootId, post.parentId])) if (id) recount(id, -1)
}

/** Adjusts the comment count shown until the post is read again. */
export function recount(id: string, by: number): void {
  const held = postWith(id)
  if (held.value) held.value = { ...held.value, commentCount: Math.max(0, held.value.commentCount + by) }
}

const wanted = new Map<string, boolean>()

/** Shows the like at once; what the server confirms last stands, so a failure takes it back. */
export async function setLiked(id: string, liked: boolean): Promise<void> {
  const held = postWith(id)
  let settled = held.value
  if (!settled || settled.liked === liked) return
  held.value = { ...settled, liked, likeCount: settled.likeCount + (liked ? 1 : -1) }
  const busy = wanted.has(id)
  wanted.set(id, liked)
  if (busy) return
  try {
    // Whoever changes their mind meanwhile gets what they wanted last.
    for (let sent: boolean | undefined; sent !== wanted.get(id); ) {
      sent = wanted.get(id)
      settled = await call<Post>(sent ? 'PUT' : 'DELETE', `/posts/${id}/like`)
    }
  } catch (error) {
    report(error)
  } finally {
    wanted.delete(id)
    held.value = settled
  }
}
