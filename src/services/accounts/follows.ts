import { and, eq, exists, lt, ne, not } from 'drizzle-orm'
import type { Ctx, SystemCtx, UserCtx } from '../../platform/context.ts'
import { all, query as builder, changed, one, rowIf } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idsOf, loadPage, type Page, type PageQuery, seek } from '../../platform/data/page.ts'
import { record } from '../../platform/events/events.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { Failure, invalid } from '../../platform/failures.ts'
import { getAccount, requireOther } from './accounts.ts'
import { accountFollowed, accountUnfollowed } from './events.ts'
import { blockBetween } from './policy.ts'
import { requireAccount } from './queries.ts'
import { addTo } from './statements.ts'
import { accounts, followers, follows } from './tables.ts'
import { type Account, loadAccounts } from './views.ts'

type AccountPath = { accountId: Id }
type Follow = { followerId: Id; followeeId: Id }

/** Limits the cost of a home feed, which reads about three rows per followed account. */
const MAX_FOLLOWING = 5_000

export async function followAccount(ctx: UserCtx, { accountId }: AccountPath): Promise<Account> {
  const { account, relation } = await loadFollowable(ctx, accountId)
  const follow = { followerId: ctx.viewer.id, followeeId: accountId }
  const db = ctx.db.shardOf(ctx.viewer.id)
  const [, , , [follower]] = await db.commit([
    db
      .insert(follows)
      .select(
        rowIf(follows, follow, all(mayFollowMore(follow.followerId), not(blockBetween(follow.followerId, accountId)))),
      )
      .onConflictDoNothing(),
    addTo(db, follow.followerId, 'followingCount', 1),
    record(db, accountFollowed, follow, changed),
    db.select({ follows: follows.followeeId }).from(follows).where(pair(follow)),
  ])
  if (!follower) {
    // Not followed: throws if a block is newer than the first check. Otherwise the limit is reached.
    await loadFollowable({ ...ctx, db: atPrimary(ctx) }, accountId)
    throw new Failure('conflict', `You already follow ${MAX_FOLLOWING} accounts`)
  }
  ctx.defer(() => mirrorFollow(ctx, follow))
  return { ...account, relation: { ...relation, following: true } }
}

async function loadFollowable(ctx: UserCtx, accountId: Id) {
  const account = await getAccount(ctx, { accountId })
  const { relation } = account
  if (!relation) throw invalid('accountId', 'is your own')
  if (relation.blocking) throw new Failure('conflict', 'You block this account')
  return { account, relation }
}

/** Works for hidden accounts too: undoing your own action never requires visibility. */
export async function unfollowAccount(ctx: UserCtx, { accountId }: AccountPath): Promise<void> {
  requireOther(ctx, accountId)
  const follow = { followerId: ctx.viewer.id, followeeId: accountId }
  const db = ctx.db.shardOf(ctx.viewer.id)
  await db.commit([
    db.delete(follows).where(pair(follow)),
    addTo(db, follow.followerId, 'followingCount', -1),
    record(db, accountUnfollowed, follow, changed),
  ])
  ctx.defer(() => mirrorFollow(ctx, follow))
}

export async function mirrorFollow(ctx: SystemCtx, { followerId, followeeId }: Follow): Promise<void> {
  const db = ctx.db.shardOf(followeeId)
  const add = db
    .insert(followers)
    .select(rowIf(followers, { accountId: followeeId, followerId }, not(blockBetween(followeeId, followerId))))
    .onConflictDoNothing()
  const remove = db
    .delete(followers)
    .where(and(eq(followers.accountId, followeeId), eq(followers.followerId, followerId)))
  await mirror(
    () => atPrimary(ctx).shardOf(followerId).$count(follows, pair({ followerId, followeeId })),
    (follows) =>
      db.batch(
        follows
          ? [add, addTo(db, followeeId, 'followerCount', 1)]
          : [remove, addTo(db, followeeId, 'followerCount', -1)],
      ),
  )
}

function mayFollowMore(accountId: Id) {
  const own = and(eq(accounts.id, accountId), lt(accounts.followingCount, MAX_FOLLOWING))
  return exists(builder.select(one).from(accounts).where(own))
}

function pair({ followerId, followeeId }: Follow) {
  return and(eq(follows.followerId, followerId), eq(follows.followeeId, followeeId))
}

export async function listFollowers(
  ctx: Ctx,
  { accountId, ...query }: AccountPath & PageQuery,
): Promise<Page<Account>> {
  const from = await seek(ctx, query, `followers of ${accountId}`, followers.followerId)
  const found = ctx.db
    .shardOf(accountId)
    .select({ id: followers.followerId })
    .from(followers)
    .where(and(eq(followers.accountId, accountId), from.where))
    .orderBy(from.order(followers.followerId))
    .limit(from.limit)
  const [rows] = await Promise.all([found, requireAccount(ctx, accountId)])
  return loadPage(ctx, from, rows, (kept) => loadAccounts(ctx, idsOf(kept)))
}

export async function listFollowing(
  ctx: Ctx,
  { accountId, ...query }: AccountPath & PageQuery,
): Promise<Page<Account>> {
  const from = await seek(ctx, query, `following of ${accountId}`, follows.followeeId)
  const found = ctx.db
    .shardOf(accountId)
    .select({ id: follows.followeeId })
    .from(follows)
    .where(and(eq(follows.followerId, accountId), ne(follows.followeeId, accountId), from.where))
    .orderBy(from.order(follows.followeeId))
    .limit(from.limit)
  const [rows] = await Promise.all([found, requireAccount(ctx, accountId)])
  return loadPage(ctx, from, rows, (kept) => loadAccounts(ctx, idsOf(kept)))
}
