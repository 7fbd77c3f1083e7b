import { and, eq, sql } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idsOf, loadPage, type Page, type PageQuery, seek } from '../../platform/data/page.ts'
import { mirror, record } from '../../platform/events/events.ts'
import { requireOther } from './accounts.ts'
import { accountBlocked, accountUnblocked } from './events.ts'
import { mirrorFollow } from './follows.ts'
import { addTo } from './statements.ts'
import { blocks, followers, follows } from './tables.ts'
import { type Block, loadAccountSummaries } from './views.ts'

/**
 * Blocks an account: from this batch on it sees nothing of the viewer, for it is written where visibility is asked.
 * Follows end in both directions. The other side may be hidden from the viewer: who is blocked may block back.
 */
export async function blockAccount(ctx: UserCtx, { accountId: otherId }: { accountId: Id }): Promise<void> {
  requireOther(ctx, otherId)
  const accountId = ctx.viewer.id
  const db = ctx.db.shardOf(accountId)
  await db.batch([
    db.insert(blocks).values({ accountId, otherId, byMe: true }).onConflictDoNothing(),
    record(db, accountBlocked, { accountId, otherId }, sql`changes() > 0`),
    ...endFollows(db, accountId, otherId),
  ])
  ctx.defer(() => mirrorBlock(ctx, { accountId, otherId }))
}

/**
 * Takes a block back; the follows that it ended stay ended. The other side's shard may not have heard of the block yet, and
 * once it is gone no event could tell it what to end, so it is told first. Where there is no block, it only hears that again.
 */
export async function unblockAccount(ctx: UserCtx, { accountId: otherId }: { accountId: Id }): Promise<void> {
  requireOther(ctx, otherId)
  const accountId = ctx.viewer.id
  if ((await countBlocks(ctx, accountId, otherId)) === 0)
    return ctx.defer(() => mirrorBlock(ctx, { accountId, otherId }))
  await mirrorBlock(ctx, { accountId, otherId })
  const db = ctx.db.shardOf(accountId)
  await db.batch([
    db.delete(blocks).where(entry(accountId, otherId, true)),
    record(db, accountUnblocked, { accountId, otherId }, sql`changes() > 0`),
  ])
  ctx.defer(() => mirrorBlock(ctx, { accountId, otherId }))
}

/**
 * Makes the other side's shard agree with a block: its row there, and the follows that the block ended. A block that was taken
 * back meanwhile may have ended a follow that came after it: the copies of both follows are made to agree with what is left.
 */
export async function mirrorBlock(
  ctx: SystemCtx,
  { accountId, otherId }: { accountId: Id; otherId: Id },
): Promise<void> {
  const db = ctx.db.shardOf(otherId)
  await mirror(
    () => countBlocks(ctx, accountId, otherId),
    (blocking) =>
      blocking
        ? db.batch([
            db.insert(blocks).values({ accountId: otherId, otherId: accountId, byMe: false }).onConflictDoNothing(),
            ...endFollows(db, otherId, accountId),
          ])
        : db.delete(blocks).where(entry(otherId, accountId, false)),
  )
  await mirrorFollow(ctx, { followerId: accountId, followeeId: otherId })
  await mirrorFollow(ctx, { followerId: otherId, followeeId: accountId })
}

/** Whom the viewer blocks, the newest accounts first; by its id alone where an account is hidden, so that it can be let go. */
export async function listBlocks(ctx: UserCtx, query: PageQuery): Promise<Page<Block>> {
  const accountId = ctx.viewer.id
  const from = await seek(ctx, query, `blocks of ${accountId}`, blocks.otherId)
  const rows = await ctx.db
    .shardOf(accountId)
    .select({ id: blocks.otherId })
    .from(blocks)
    .where(and(eq(blocks.accountId, accountId), eq(blocks.byMe, true), from.where))
    .orderBy(from.order(blocks.otherId))
    .limit(from.limit)
  return loadPage(ctx, from, rows, async (kept) => {
    const known = await loadAccountSummaries(ctx, idsOf(kept))
    return new Map(kept.map(({ id }) => [id, { id, account: known.get(id) ?? null }]))
  })
}

/** Whether one blocks the other at this moment, as 0 or 1. */
function countBlocks(ctx: SystemCtx, accountId: Id, otherId: Id): Promise<number> {
  return atPrimary(ctx)
    .shardOf(accountId)
    .$count(blocks, entry(accountId, otherId, true))
}

function entry(accountId: Id, otherId: Id, byMe: boolean) {
  return and(eq(blocks.accountId, accountId), eq(blocks.otherId, otherId), eq(blocks.byMe, byMe))
}

/** Ends both follows between two accounts as far as the first one's shard holds them. */
function endFollows(db: Database, accountId: Id, otherId: Id) {
  return [
    db.delete(followers).where(and(eq(followers.accountId, accountId), eq(followers.followerId, otherId))),
    addTo(db, accountId, 'followerCount', -1),
    db.delete(follows).where(and(eq(follows.followerId, accountId), eq(follows.followeeId, otherId))),
    addTo(db, accountId, 'followingCount', -1),
  ] as const
}
