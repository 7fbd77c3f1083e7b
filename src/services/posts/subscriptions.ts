import type { Id } from '../../platform/data/ids.ts'
import { on } from '../../platform/events/events.ts'
import { indexComment } from './comments.ts'
import { postDeleted, postPublished } from './events.ts'
import { loadPostFacts } from './queries.ts'

export const postSubscriptions = [
  on(postPublished, 'index-comment', async (ctx, { postId }) => {
    const post = await loadPostFacts(ctx, postId)
    for (const threadId of threadsOf(post)) await indexComment(ctx, { threadId, postId })
  }),
  on(postDeleted, 'unindex-comment', async (ctx, { postId, ...post }) => {
    for (const threadId of threadsOf(post)) await indexComment(ctx, { threadId, postId })
  }),
]

/** A comment is listed under its root and under the comment it replies to. */
function threadsOf(post: { rootId: Id | null; parentId: Id | null } | undefined): Set<Id> {
  return new Set([post?.rootId, post?.parentId].filter((id) => id !== null && id !== undefined))
}
