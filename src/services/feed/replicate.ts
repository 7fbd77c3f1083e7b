import type { SystemCtx } from '../../platform/context.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { mapConcurrently } from '../../platform/data/shards.ts'
import { unlistPost, unlistPosts } from './statements.ts'

type Post = { id: Id; authorId: Id }

/** Removes a deleted post from the feed index of all other shards. */
export async function unindexElsewhere(ctx: SystemCtx, post: Post): Promise<void> {
  const others = ctx.db.shards.filter((shard) => shard !== shardOf(post.id))
  await mapConcurrently(others, async (shard) => unlistPost(ctx.db.shard(shard), post))
}

/** Removes a post from the public feed. */
export async function unlist(ctx: SystemCtx, post: Pick<Post, 'id'>): Promise<void> {
  await unlistPosts(ctx.db.index, [post.id])
}
