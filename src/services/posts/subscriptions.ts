import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { on } from '../../platform/events/events.ts'
import { indexComment } from './comments.ts'
import { postDeleted, postPublished } from './events.ts'

export const postSubscriptions = [
  on(postPublished, 'index-comment', syncThreads),
  on(postDeleted, 'unindex-comment', syncThreads),
]

type Comment = { postId: Id; rootId: Id | null; parentId: Id | null }

/** A comment is listed under its root and under the comment it replies to. */
async function syncThreads(ctx: SystemCtx, { postId, rootId, parentId }: Comment): Promise<void> {
  const threads = new Set([rootId, parentId].filter((id) => id !== null))
  for (const threadId of threads) await indexComment(ctx, { threadId, postId })
}
