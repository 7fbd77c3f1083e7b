import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { on } from '../../platform/events/events.ts'
import { indexComment } from './comments.ts'
import { likesDeleted, postDeleted, postLiked, postPublished, postUnliked } from './events.ts'
import { deleteLikes, mirrorLike, unlistDeletedLikes } from './like-mirrors.ts'

export const postSubscriptions = [
  on(postPublished, 'index-comment', syncThreads),
  on(postDeleted, 'unindex-comment', syncThreads),
  on(postDeleted, 'delete-likes', deleteLikes),
  on(likesDeleted, 'unlist-likes', unlistDeletedLikes),
  on(postLiked, 'mirror-like', (ctx, { postId, actorId }, id) => mirrorLike(ctx, { postId, actorId, likeId: id })),
  on(postUnliked, 'mirror-like', mirrorLike),
]

type Comment = { postId: Id; rootId: Id | null; parentId: Id | null }

/** A comment is listed under its root and under the comment it replies to. */
async function syncThreads(ctx: SystemCtx, { postId, rootId, parentId }: Comment): Promise<void> {
  const threads = new Set([rootId, parentId].filter((id) => id !== null))
  for (const threadId of threads) await indexComment(ctx, { threadId, postId })
}
