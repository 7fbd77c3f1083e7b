import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'

export const postPublished = defineEvent('post.published', z.object({ postId: Id, authorId: Id }))
/** Contains the place in the thread and the mentioned accounts, because subscriptions can no longer read the post. */
export const postDeleted = defineEvent(
  'post.deleted',
  z.object({ postId: Id, authorId: Id, rootId: Id.nullable(), parentId: Id.nullable(), mentioned: z.array(Id) }),
)
export const postLiked = defineEvent('post.liked', z.object({ postId: Id, authorId: Id, actorId: Id }))
/** Has no author, because an unlike does not read the post. */
export const postUnliked = defineEvent('post.unliked', z.object({ postId: Id, actorId: Id }))
