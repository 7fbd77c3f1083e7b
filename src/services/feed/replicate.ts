import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { mapConcurrently } from '../../platform/data/shards.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { isPublic } from '../posts/policy.ts'
import { loadPostFacts } from '../posts/queries.ts'
import { indexPost, unindexPost } from './statements.ts'
import { publicPosts } from './tables.ts'

type Listing = { listed: boolean; isPublic: boolean; isComment: boolean }

async function listingOf(ctx: SystemCtx, postId: Id): Promise<Listing> {
  const post = await loadPostFacts(ctx, postId)
  if (!post) return { listed: false, isPublic: false, isComment: false }
  const isComment = post.rootId !== null
  return { listed: !isComment, isPublic: isPublic(post), isComment }
}

/** Adds a post to the feed index of all other shards and to the public feed, or removes it there if it was deleted. */
export function replicatePost(ctx: SystemCtx, post: { id: Id; authorId: Id }): Promise<Listing> {
  const others = ctx.db.shards.filter((shard) => shard !== shardOf(post.id))
  const { index } = ctx.db
  return mirror(
    () => listingOf(ctx, post.id),
    async ({ listed, isPublic, isComment }) => {
      if (isComment) return // comments are listed on their own shard only
      await mapConcurrently(others, async (shard) => {
        const db = ctx.db.shard(shard)
        await (listed ? indexPost(db, post) : unindexPost(db, post))
      })
      if (listed && isPublic) {
        await index.insert(publicPosts).values({ postId: post.id, authorId: post.authorId }).onConflictDoNothing()
      } else await index.delete(publicPosts).where(eq(publicPosts.postId, post.id))
    },
  )
}
