import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { mapConcurrently } from '../../platform/data/shards.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { isPublic } from '../posts/policy.ts'
import { loadPostFacts } from '../posts/queries.ts'
import { unindexPost } from './statements.ts'
import { publicPosts } from './tables.ts'

type Post = { id: Id; authorId: Id }

/** Removes a deleted post from the feed index of all other shards. */
export async function unindexElsewhere(ctx: SystemCtx, post: Post): Promise<void> {
  const others = ctx.db.shards.filter((shard) => shard !== shardOf(post.id))
  await mapConcurrently(others, async (shard) => unindexPost(ctx.db.shard(shard), post))
}

/** Adds a post to the public feed, or removes it there if it was deleted. */
export async function listPublicly(ctx: SystemCtx, { id: postId, authorId }: Post): Promise<void> {
  const { index } = ctx.db
  await mirror(
    async () => {
      const post = await loadPostFacts(ctx, postId)
      return post !== undefined && isPublic(post)
    },
    (isListed) =>
      isListed
        ? index.insert(publicPosts).values({ postId, authorId }).onConflictDoNothing()
        : index.delete(publicPosts).where(eq(publicPosts.postId, postId)),
  )
}
