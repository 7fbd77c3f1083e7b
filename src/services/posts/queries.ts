import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { posts } from './tables.ts'

/** For subscriptions: reads at the primary and ignores visibility. Undefined if the post was deleted. */
export async function loadPostFacts(ctx: SystemCtx, postId: Id) {
  const [post] = await atPrimary(ctx)
    .shardOf(postId)
    .select({
      authorId: posts.authorId,
      rootId: posts.rootId,
      parentId: posts.parentId,
      visibility: posts.visibility,
    })
    .from(posts)
    .where(eq(posts.id, postId))
  return post
}
