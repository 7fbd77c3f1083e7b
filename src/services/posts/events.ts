import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent, defineStep } from '../../platform/events/events.ts'
import { Act } from '../audit/events.ts'

/** Contains only what never changes. So subscriptions need not read a new post. They could not read a deleted one. */
const PostRef = z.object({
  postId: Id,
  authorId: Id,
  rootId: Id.nullable(),
  parentId: Id.nullable(),
  parentAuthorId: Id.nullable().default(null),
  mentioned: z.array(Id),
  /** Absent in events that are older than this field. */
  isPublic: z.boolean().optional(),
})

export const postPublished = defineEvent('post.published', PostRef)
/** An edit of the text. `added` and `removed` are the accounts that are mentioned since, or no longer. */
export const postEdited = defineEvent(
  'post.edited',
  z.object({ postId: Id, authorId: Id, parentAuthorId: Id.nullable(), added: z.array(Id), removed: z.array(Id) }),
)
/** An edit by somebody else than the author. `by` says what allowed it. */
export const postEditedByOther = defineEvent('post.edited-by-other', Act.extend({ postId: Id, by: z.string() }))
export const postDeleted = defineEvent('post.deleted', PostRef)
export const postLiked = defineEvent('post.liked', z.object({ postId: Id, authorId: Id, actorId: Id }))
/** `toldId` is the author if the like had a notification. Events that were recorded before likes had ids have no `likeId`. */
export const postUnliked = defineEvent(
  'post.unliked',
  z.object({ postId: Id, actorId: Id, likeId: Id.optional(), toldId: Id.nullable().optional() }),
)
export const likersToList = defineStep('post.likers-to-list', z.object({ postId: Id }))
export const listsToMark = defineStep(
  'post.lists-to-mark',
  z.object({ accountId: Id, list: z.enum(['likes', 'comments']), after: Id.nullable() }),
)
export const likesDeleted = defineStep(
  'post.likes-deleted',
  z.object({ postId: Id, authorId: Id.optional(), likes: z.array(z.object({ id: Id, accountId: Id })) }),
)
export const threadToDelete = defineStep('post.thread-to-delete', z.object({ postId: Id }))
