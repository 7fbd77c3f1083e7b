import { and, eq } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idsOf, loadPage, type Page, type PageQuery, seek } from '../../platform/data/page.ts'
import { record } from '../../platform/events/events.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { requireOther } from './accounts.ts'
import { accountBlocked, accountUnblocked } from './events.ts'
import { mirrorFollow } from './follows.ts'
import { addTo } from './statements.ts'
import { blocks, followers, follows } from './tables.ts'
import { type Block, loadAccountSummaries } from './views.ts'

/** Hides the viewer from the other account at once: the viewer's visibility is checked on the viewer's own shard. */
export async function blockAccount(ctx: UserCtx, { accountId: otherId }: { accountId: Id }): Promise<void> {
  requireOther(ctx, otherId)
  const accountId = ctx.viewer.id
  const db = ctx.db.shardOf(accountId)
  await db.commit([
    db.insert(blocks).values({ accountId, otherId, byMe: true }).onConflictDoNothing(),
    record(db, accountBlocked, { accountId, otherId }, changed),
    ...endFollows(db, accountId, otherId),
  ])
  ctx.defer(() => mirrorBlock(ctx, { accountId, otherId }))
}

export async function unblockAccount(ctx: UserCtx, { accountId: otherId }: { accountId: Id }): Promise<void> {
  requireOther(ctx, otherId)
  const accountId = ctx.viewer.id
  if ((await countBlocks(ctx, accountId, otherId)) === 0)
    return ctx.defer(() => mirrorBlock(ctx, { accountId, otherId }))
  // Sync the other shard first, because the follows there must end while the block still exists.
  await mirrorBlock(ctx, { accountId, otherId })
  const db = ctx.db.shardOf(accountId)
  await db.commit([
    db.delete(blocks).where(entry(accountId, otherId, true)),
    record(db, accountUnblocked, { accountId, otherId }, changed),
  ])
  ctx.defer(() => mirrorBlock(ctx, { accountId, otherId }))
}

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
  // After a concurrent unblock, the batch may have deleted rows of a newer follow: resync both directions.
  await mirrorFollow(ctx, { followerId: accountId, followeeId: otherId })
  await mirrorFollow(ctx, { followerId: otherId, followeeId: accountId })
}

/** A hidden account is listed with its id only, so that the viewer can unblock it. */
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

function countBlocks(ctx: SystemCtx, accountId: Id, otherId: Id): Promise<number> {
  return atPrimary(ctx)
    .shardOf(accountId)
    .$count(blocks, entry(accountId, otherId, true))
}

function entry(accountId: Id, otherId: Id, byMe: boolean) {
  return and(eq(blocks.accountId, accountId), eq(blocks.otherId, otherId), eq(blocks.byMe, byMe))
}

/** Deletes the follows in both directions on the shard of `accountId`; `mirrorBlock` does so on the other shard. */
function endFollows(db: Database, accountId: Id, otherId: Id) {
  return [
    db.delete(followers).where(and(eq(followers.accountId, accountId), eq(followers.followerId, otherId))),
    addTo(db, accountId, 'followerCount', -1),
    db.delete(follows).where(and(eq(follows.followerId, accountId), eq(follows.followeeId, otherId))),
    addTo(db, accountId, 'followingCount', -1),
  ] as const
}
