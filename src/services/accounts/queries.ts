import { and, eq, lt } from 'drizzle-orm'
import type { Ctx, SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { notFound } from '../../platform/failures.ts'
import { isActive, knownTo } from './policy.ts'
import { accounts, blocks, follows } from './tables.ts'

/** When the account was suspended (epoch ms, read at the primary); null if it is not suspended. */
export async function readSuspension(ctx: SystemCtx, accountId: Id): Promise<number | null> {
  const [account] = await atPrimary(ctx)
    .shardOf(accountId)
    .select({ suspendedAt: accounts.suspendedAt })
    .from(accounts)
    .where(eq(accounts.id, accountId))
  return account?.suspendedAt ?? null
}

/** Reads the primary. True for suspended accounts too. */
export async function isStored(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  if (!ctx.db.shards.includes(shardOf(accountId))) return false
  return (await atPrimary(ctx).shardOf(accountId).$count(accounts, eq(accounts.id, accountId))) > 0
}

/** Whether the account is hidden from everyone, read at the primary. True for an account that does not exist. */
export async function readHidden(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const db = atPrimary(ctx).shardOf(accountId)
  return (await db.$count(accounts, and(eq(accounts.id, accountId), isActive))) === 0
}

/** Reads the primaries. With a block, the answer is no, even if the follower's shard still has the follow's row. */
export async function isFollowing(ctx: SystemCtx, followerId: Id, followeeId: Id): Promise<boolean> {
  const db = atPrimary(ctx)
  const [followed, blocked] = await Promise.all([
    db.shardOf(followerId).$count(follows, and(eq(follows.followerId, followerId), eq(follows.followeeId, followeeId))),
    db.shardOf(followeeId).$count(blocks, and(eq(blocks.accountId, followeeId), eq(blocks.otherId, followerId))),
  ])
  return followed > 0 && blocked === 0
}

/** Whether the follow is older than the event, read at the primary of the follower. */
export async function followedBefore(ctx: SystemCtx, followerId: Id, followeeId: Id, eventId: Id): Promise<boolean> {
  const own = and(eq(follows.followerId, followerId), eq(follows.followeeId, followeeId), lt(follows.id, eventId))
  return (await atPrimary(ctx).shardOf(followerId).$count(follows, own)) > 0
}

/** Reads the primary. Every account follows itself. */
export async function followeesOf(ctx: SystemCtx, accountId: Id): Promise<Id[]> {
  const db = atPrimary(ctx).shardOf(accountId)
  const rows = await db.select({ id: follows.followeeId }).from(follows).where(eq(follows.followerId, accountId))
  return rows.map(({ id }) => id)
}

export async function requireAccount(ctx: Ctx, accountId: Id): Promise<void> {
  const [row] = await ctx.db
    .shardOf(accountId)
    .select({ id: accounts.id })
    .from(accounts)
    .where(and(eq(accounts.id, accountId), knownTo(ctx.viewer?.id ?? null)))
  if (!row) throw notFound()
}
