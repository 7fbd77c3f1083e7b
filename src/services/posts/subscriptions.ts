import { eq } from 'drizzle-orm'
import type { Id } from '../../platform/data/ids.ts'
import { on } from '../../platform/events/events.ts'
import { indexComment } from './comments.ts'
import { postDeleted, postPublished } from './events.ts'
import { posts } from './tables.ts'

export const postSubscriptions = [
  on(postPublished, async (ctx, { postId }) => {
    const [post] = await ctx.db
      .shardOf(postId)
      .select({ rootId: posts.rootId, parentId: posts.parentId })
      .from(posts)
      .where(eq(posts.id, postId))
    for (const threadId of threadsOf(post)) await indexComment(ctx, { threadId, postId })
  }),
  on(postDeleted, async (ctx, { postId, ...post }) => {
    for (const threadId of threadsOf(post)) await indexComment(ctx, { threadId, postId })
  }),
]

/** Where a comment is listed: under its root and under the comment that it replies to. */
function threadsOf(post: { rootId: Id | null; parentId: Id | null } | undefined): Set<Id> {
  return new Set([post?.rootId, post?.parentId].filter((id) => id !== null && id !== undefined))
}
