import { and, eq, ne, not, or } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { changed, decrementIf, rowIf } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { loadPage, type Page, type PageQuery, seek } from '../../platform/data/page.ts'
import { record, recordedId } from '../../platform/events/events.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { tryRefreshHub } from '../../platform/realtime/hub.client.ts'
import { activeHubs } from '../../platform/realtime/hubs.ts'
import { withTimeout } from '../../platform/timeout.ts'
import { blockConversation, syncBlock } from '../messaging/statements.ts'
import { requireKnownOther } from './accounts.ts'
import { accountBlocked, accountUnblocked } from './events.ts'
import { mirrorFollow } from './follows.ts'
import { blocksOther } from './policy.ts'
import { isCounted } from './statements.ts'
import { accounts, blocks, followers, follows } from './tables.ts'
import { type Block, loadAccountSummaries } from './views.ts'

const CONVERSATION_TIMEOUT_MS = 2_000

/** The viewer is hidden from the other account at once, because that is checked on the viewer's own shard. */
export async function blockAccount(ctx: UserCtx, { accountId: otherId }: { accountId: Id }): Promise<void> {
  requireKnownOther(ctx, otherId)
  const accountId = ctx.viewer.id
  const db = ctx.db.shardOf(accountId)
  const block = { accountId, otherId, byMe: true, id: recordedId }
  const [active, events] = await db.commit([
    activeHubs(db),
    record(db, accountBlocked, { accountId, otherId }, not(blocksOther(accountId, otherId))),
    db.insert(blocks).select(rowIf(blocks, block, changed)),
    ...endFollows(db, accountId, otherId),
  ])
  ctx.defer(() => mirrorBlock(ctx, { accountId, otherId }))
  await Promise.all([
    tryRefreshHub(ctx, accountId, active),
    ...events.map(() => tryEndConversation(ctx, { accountId, otherId })),
  ])
}

/** A failure is left to the subscription that repeats it. */
async function tryEndConversation(ctx: UserCtx, block: { accountId: Id; otherId: Id }): Promise<void> {
  await withTimeout(blockConversation(ctx, { ...block, isBlocking: true }), CONVERSATION_TIMEOUT_MS).catch(
    (error: unknown) => ctx.log.warn('a conversation was not ended', { ...block, error }),
  )
  ctx.defer(() => syncBlock(ctx, block))
}

export async function unblockAccount(ctx: UserCtx, { accountId: otherId }: { accountId: Id }): Promise<void> {
  requireKnownOther(ctx, otherId)
  const accountId = ctx.viewer.id
  if ((await blockId(ctx, accountId, otherId)) === null)
    return ctx.defer(() => mirrorBlock(ctx, { accountId, otherId }))
  // The block may not have reached the other shard yet. Sync it first: follows there end only while the block exists.
  await mirrorBlock(ctx, { accountId, otherId })
  const db = ctx.db.shardOf(accountId)
  await db.commit(unblocking(db, { accountId, otherId }))
  ctx.defer(() => mirrorBlock(ctx, { accountId, otherId }))
}

export function unblocking(db: Database, { accountId, otherId }: { accountId: Id; otherId: Id }) {
  return [
    db.delete(blocks).where(entry(accountId, otherId, true)),
    record(db, accountUnblocked, { accountId, otherId }, changed),
  ] as const
}

export async function mirrorBlock(
  ctx: SystemCtx,
  { accountId, otherId }: { accountId: Id; otherId: Id },
): Promise<void> {
  const db = ctx.db.shardOf(otherId)
  const key = [blocks.accountId, blocks.otherId, blocks.byMe]
  await mirror(
    () => blockId(ctx, accountId, otherId),
    (id) => {
      if (id === null) return db.delete(blocks).where(entry(otherId, accountId, false))
      const copy = { accountId: otherId, otherId: accountId, byMe: false, id }
      return db.batch([
        db
          .insert(blocks)
          .values(copy)
          .onConflictDoUpdate({ target: key, set: { id }, setWhere: ne(blocks.id, id) }),
        ...endFollows(db, otherId, accountId),
      ])
    },
  )
  // If the block ended meanwhile, the batch may have deleted rows of a newer follow. Sync both directions again.
  await mirrorFollow(ctx, { followerId: accountId, followeeId: otherId })
  await mirrorFollow(ctx, { followerId: otherId, followeeId: accountId })
}

/** A hidden account is listed with its id only, so that the viewer can unblock it. */
export async function listBlocks(ctx: UserCtx, query: PageQuery): Promise<Page<Block>> {
  const accountId = ctx.viewer.id
  const from = await seek(ctx, query, `newest blocks of ${accountId}`, blocks.id)
  const rows = await ctx.db
    .shardOf(accountId)
    .select({ id: blocks.id, otherId: blocks.otherId })
    .from(blocks)
    .where(and(eq(blocks.accountId, accountId), eq(blocks.byMe, true), from.where))
    .orderBy(from.order(blocks.id))
    .limit(from.limit)
  return loadPage(ctx, from, rows, async (kept) => {
    const others = kept.map(({ otherId }) => otherId)
    const known = await loadAccountSummaries(ctx, others)
    return new Map(kept.map(({ id, otherId }) => [id, { id: otherId, account: known.get(otherId) ?? null }]))
  })
}

async function blockId(ctx: SystemCtx, accountId: Id, otherId: Id): Promise<Id | null> {
  const db = atPrimary(ctx).shardOf(accountId)
  const [found] = await db
    .select({ id: blocks.id })
    .from(blocks)
    .where(entry(accountId, otherId, true))
  return found?.id ?? null
}

function entry(accountId: Id, otherId: Id, byMe: boolean) {
  return and(eq(blocks.accountId, accountId), eq(blocks.otherId, otherId), eq(blocks.byMe, byMe))
}

/** Deletes the follows in both directions from the shard of `accountId`. `mirrorBlock` covers the other shard. */
function endFollows(db: Database, accountId: Id, otherId: Id) {
  const follower = and(eq(followers.accountId, accountId), eq(followers.followerId, otherId))
  const followed = and(eq(follows.followerId, accountId), eq(follows.followeeId, otherId))
  const [isFollower, isFollowed] = [isCounted(followers, follower), isCounted(follows, followed)]
  return [
    db
      .update(accounts)
      .set({
        followerCount: decrementIf(isFollower, accounts.followerCount),
        followingCount: decrementIf(isFollowed, accounts.followingCount),
      })
      .where(and(eq(accounts.id, accountId), or(isFollower, isFollowed))),
    db.delete(followers).where(follower),
    db.delete(follows).where(followed),
  ] as const
}
