import { and, eq, ne } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { commitByShard, idIn } from '../../platform/data/shards.ts'
import { unblocking } from './blocks.ts'
import { unfollowing } from './follows.ts'
import { accounts, blocks, followers, follows } from './tables.ts'

const ROWS_PER_STEP = 50

/** Ends the follows and blocks of the account in both directions, and then deletes its row. */
export async function eraseAccount(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const counts = [await eraseSomeFollows(ctx, accountId), await eraseSomeBlocks(ctx, accountId)]
  if (counts.some((count) => count > 0)) return false
  const db = ctx.db.shardOf(accountId)
  await db.batch([
    db.delete(follows).where(eq(follows.followerId, accountId)),
    db.delete(accounts).where(eq(accounts.id, accountId)),
  ])
  return true
}

/** A follow is first deleted on the shard of the follower, as by this person. */
async function eraseSomeFollows(ctx: SystemCtx, accountId: Id): Promise<number> {
  const db = ctx.db.shardOf(accountId)
  const isOther = ne(follows.followeeId, accountId)
  const [followed, followedBy] = await Promise.all([
    db
      .select({ followerId: follows.followerId, followeeId: follows.followeeId })
      .from(follows)
      .where(and(eq(follows.followerId, accountId), isOther))
      .limit(ROWS_PER_STEP),
    db
      .select({ followerId: followers.followerId, followeeId: followers.accountId })
      .from(followers)
      .where(eq(followers.accountId, accountId))
      .limit(ROWS_PER_STEP),
  ])
  await commitByShard(ctx.db, [...followed, ...followedBy], ({ followerId }) => followerId, unfollowing)
  const ids = followedBy.map(({ followerId }) => followerId)
  const copies = and(eq(followers.accountId, accountId), idIn(followers.followerId, ids))
  if (ids.length > 0) await db.delete(followers).where(copies)
  return followed.length + ids.length
}

async function eraseSomeBlocks(ctx: SystemCtx, accountId: Id): Promise<number> {
  const db = ctx.db.shardOf(accountId)
  const rows = await db.select().from(blocks).where(eq(blocks.accountId, accountId)).limit(ROWS_PER_STEP)
  const pairs = rows.map(({ otherId, byMe }) =>
    byMe ? { accountId, otherId } : { accountId: otherId, otherId: accountId },
  )
  await commitByShard(ctx.db, pairs, (pair) => pair.accountId, unblocking)
  const ids = rows.flatMap(({ otherId, byMe }) => (byMe ? [] : [otherId]))
  const copies = and(eq(blocks.accountId, accountId), eq(blocks.byMe, false), idIn(blocks.otherId, ids))
  if (ids.length > 0) await db.delete(blocks).where(copies)
  return rows.length
}
