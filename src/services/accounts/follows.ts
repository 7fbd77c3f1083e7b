import { and, eq, ne, sql } from 'drizzle-orm'
import type { Ctx, SystemCtx, UserCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idsOf, loadPage, type Page, type PageQuery, seek } from '../../platform/data/page.ts'
import { mirror, record } from '../../platform/events/events.ts'
import { Failure, invalid } from '../../platform/http/errors.ts'
import { getAccount, requireOther } from './accounts.ts'
import { accountFollowed, accountUnfollowed } from './events.ts'
import { addTo } from './statements.ts'
import { accounts, blocks, followers, follows } from './tables.ts'
import { type Account, loadAccounts, requireAccount } from './views.ts'

type AccountSummary = { accountId: Id }
type Follow = { followerId: Id; followeeId: Id }

/** How many accounts one may follow: a home feed reads about three rows for each. */
const MAX_FOLLOWING = 5_000

/**
 * Follows an account; following it again changes nothing. Throws `conflict` where there is a block between the two, and for
 * whoever follows 5,000 already.
 */
export async function followAccount(ctx: UserCtx, { accountId }: AccountSummary): Promise<Account> {
  const account = await getAccount(ctx, { accountId })
  const { relation } = account
  if (!relation) throw invalid('accountId', 'is your own')
  if (relation.blocking) throw new Failure('conflict', 'The viewer blocks this account')
  const follow = { followerId: ctx.viewer.id, followeeId: accountId }
  const db = ctx.db.shardOf(ctx.viewer.id)
  const [, , , [follower]] = await db.batch([
    db
      .insert(follows)
      .select(
        sql`select id, ${Number(accountId)} from ${accounts} where id = ${Number(follow.followerId)}
          and following_count < ${MAX_FOLLOWING} and not ${blocked(follow.followerId, accountId)}`,
      )
      .onConflictDoNothing(),
    addTo(db, follow.followerId, 'followingCount', 1),
    record(db, accountFollowed, follow, sql`changes() > 0`),
    db.select({ follows: follows.followeeId }).from(follows).where(pair(follow)),
  ])
  if (!follower)
    throw new Failure('conflict', `There is a block between the two, or ${MAX_FOLLOWING} are followed already`)
  ctx.defer(() => mirrorFollow(ctx, follow))
  return { ...account, relation: { ...relation, following: true } }
}

/** Stops following an account, though it may be suspended by now; where it was not followed, nothing changes. */
export async function unfollowAccount(ctx: UserCtx, { accountId }: AccountSummary): Promise<void> {
  requireOther(ctx, accountId)
  const follow = { followerId: ctx.viewer.id, followeeId: accountId }
  const db = ctx.db.shardOf(ctx.viewer.id)
  await db.batch([
    db.delete(follows).where(pair(follow)),
    addTo(db, follow.followerId, 'followingCount', -1),
    record(db, accountUnfollowed, follow, sql`changes() > 0`),
  ])
  ctx.defer(() => mirrorFollow(ctx, follow))
}

/**
 * Makes the followee's `followers` agree with the follower's `follows`. A block on the followee's side keeps the row out
 * in the same statement, however late the follow comes.
 */
export async function mirrorFollow(ctx: SystemCtx, { followerId, followeeId }: Follow): Promise<void> {
  const db = ctx.db.shardOf(followeeId)
  const add = db
    .insert(followers)
    .select(sql`select ${Number(followeeId)}, ${Number(followerId)} where not ${blocked(followeeId, followerId)}`)
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

function pair({ followerId, followeeId }: Follow) {
  return and(eq(follows.followerId, followerId), eq(follows.followeeId, followeeId))
}

/** Whether `accountId`'s shard knows of a block between the two, in either direction. */
function blocked(accountId: Id, otherId: Id) {
  return sql`exists (select 1 from ${blocks} where ${blocks.accountId} = ${Number(accountId)} and ${blocks.otherId} = ${Number(otherId)})`
}

/** Who follows an account, the newest accounts first. */
export async function listFollowers(
  ctx: Ctx,
  { accountId, ...query }: AccountSummary & PageQuery,
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

/** Whom an account follows, the newest accounts first. */
export async function listFollowing(
  ctx: Ctx,
  { accountId, ...query }: AccountSummary & PageQuery,
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
