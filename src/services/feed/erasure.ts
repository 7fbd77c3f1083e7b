import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { deleteInSteps } from '../../platform/data/expiry.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { mapConcurrently } from '../../platform/data/shards.ts'
import { feedIndex } from './tables.ts'

/** Only on the other shards: on its own shard, the rows lead to the posts that must still be deleted. */
export async function eraseIndexed(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const others = ctx.db.shards.filter((shard) => shard !== shardOf(accountId))
  const key = [feedIndex.authorId, feedIndex.lane, feedIndex.postId]
  const outcomes = await mapConcurrently(others, (shard) =>
    deleteInSteps(ctx.db.shard(shard), feedIndex, key, eq(feedIndex.authorId, accountId)),
  )
  return outcomes.every(Boolean)
}
