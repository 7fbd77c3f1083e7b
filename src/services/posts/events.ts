import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'

/** Contains what never changes, because subscriptions cannot read a deleted post and need not read a new one. */
const PostRef = z.object({
  postId: Id,
  authorId: Id,
  rootId: Id.nullable(),
  parentId: Id.nullable(),
  parentAuthorId: Id.nullable().default(null),
  mentioned: z.array(Id),
})

export const postPublished = defineEvent('post.published', PostRef)
export const postDeleted = defineEvent('post.deleted', PostRef)
export const postLiked = defineEvent('post.liked', z.object({ postId: Id, authorId: Id, actorId: Id }))
/** `authorId` is missing, because an unlike does not read the post. Events of the first version have no `likeId`. */
export const postUnliked = defineEvent('post.unliked', z.object({ postId: Id, actorId: Id, likeId: Id.optional() }))
export const likesDeleted = defineEvent(
  'post.likes-deleted',
  z.object({ postId: Id, likes: z.array(z.object({ id: Id, accountId: Id })) }),
)
