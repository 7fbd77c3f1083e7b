import { and, asc, eq, gt, inArray } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { query as builder, increment } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { fromShards, idIn } from '../../platform/data/shards.ts'
import { continueWith, record } from '../../platform/events/events.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { followsToMark } from './events.ts'
import { readHidden } from './queries.ts'
import { accounts, followers, follows } from './tables.ts'

/** How many follows one step marks. */
const STEP = 100

type Step = { accountId: Id; list: 'following' | 'followers'; after: Id | null }

/** Marks a hidden account in the lists of others, so that their counts leave it out, or removes the marks. */
export async function startMarking(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  const db = ctx.db.shardOf(accountId)
  await db.commit([
    record(db, followsToMark, { accountId, list: 'following', after: null }),
    record(db, followsToMark, { accountId, list: 'followers', after: null }),
  ])
}

export async function markFollows(ctx: SystemCtx, step: Step, eventId: Id): Promise<void> {
  const isFollowing = step.list === 'following'
  const rows = await (isFollowing ? followedBy : followersOf)(atPrimary(ctx).shardOf(step.accountId), step)
  const others = rows.map(({ otherId }) => otherId)
  await (isFollowing ? markFollower : markFollowee)(ctx, step.accountId, others)
  const last = rows[STEP - 1]
  if (last) await continueWith(ctx.db.shardOf(step.accountId), eventId, followsToMark, { ...step, after: last.id })
}

function followedBy(db: Database, { accountId, after }: Step) {
  return db
    .select({ id: follows.id, otherId: follows.followeeId })
    .from(follows)
    .where(and(eq(follows.followerId, accountId), after ? gt(follows.id, after) : undefined))
    .orderBy(asc(follows.id))
    .limit(STEP)
}

function followersOf(db: Database, { accountId, after }: Step) {
  return db
    .select({ id: followers.id, otherId: followers.followerId })
    .from(followers)
    .where(and(eq(followers.accountId, accountId), after ? gt(followers.id, after) : undefined))
    .orderBy(asc(followers.id))
    .limit(STEP)
}

async function markFollower(ctx: SystemCtx, followerId: Id, followeeIds: readonly Id[]): Promise<void> {
  await mirror(
    () => readHidden(ctx, followerId),
    (hidden) => fromShards(ctx.db, followeeIds, (db, ids) => db.batch(marksOfFollower(db, followerId, ids, hidden))),
  )
}

export async function markFollowee(ctx: SystemCtx, followeeId: Id, followerIds: readonly Id[]): Promise<void> {
  await mirror(
    () => readHidden(ctx, followeeId),
    (hidden) => fromShards(ctx.db, followerIds, (db, ids) => db.batch(marksOfFollowee(db, followeeId, ids, hidden))),
  )
}

export function marksOfFollower(db: Database, followerId: Id, followeeIds: readonly Id[], hidden: boolean) {
  const own = and(idIn(followers.accountId, followeeIds), eq(followers.followerId, followerId))
  const stale = and(own, eq(followers.hidden, !hidden))
  const counted = builder.select({ id: followers.accountId }).from(followers).where(stale)
  return [
    db
      .update(accounts)
      .set({ followerCount: increment(accounts.followerCount, hidden ? -1 : 1) })
      .where(inArray(accounts.id, counted)),
    db.update(followers).set({ hidden }).where(stale),
  ] as const
}

function marksOfFollowee(db: Database, followeeId: Id, followerIds: readonly Id[], hidden: boolean) {
  const own = and(idIn(follows.followerId, followerIds), eq(follows.followeeId, followeeId))
  const stale = and(own, eq(follows.hidden, !hidden))
  const counted = builder.select({ id: follows.followerId }).from(follows).where(stale)
  return [
    db
      .update(accounts)
      .set({ followingCount: increment(accounts.followingCount, hidden ? -1 : 1) })
      .where(inArray(accounts.id, counted)),
    db.update(follows).set({ hidden }).where(stale),
  ] as const
}
