import { and, eq, ne, sql } from 'drizzle-orm'
import type { Ctx, SystemCtx, UserCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/db.ts'
import { Failure, invalid } from '../../platform/errors.ts'
import { mirror, record } from '../../platform/events.ts'
import type { Id } from '../../platform/ids.ts'
import { idsOf, loadPage, type Page, type PageQuery, seek } from '../../platform/page.ts'
import { getAccount } from './accounts.ts'
import { accountFollowed, accountUnfollowed } from './events.ts'
import { addTo } from './statements.ts'
import { blocks, followers, follows } from './tables.ts'
import { type Account, loadAccounts, requireAccount } from './views.ts'

type AccountRef = { accountId: Id }
type Follow = { followerId: Id; followeeId: Id }

/** Follows an account; following it again changes nothing. A blocked account has to be unblocked first. */
export async function followAccount(ctx: UserCtx, { accountId }: AccountRef): Promise<Account> {
  const account = await getAccount(ctx, { accountId })
  const { relation } = account
  if (!relation) throw invalid('accountId', 'is the viewer’s own')
  if (relation.blocking) throw new Failure('conflict', 'The viewer blocks this account')
  const follow = { followerId: ctx.viewer.id, followeeId: accountId }
  const db = ctx.db.shardOf(ctx.viewer.id)
  await db.batch([
    db
      .insert(follows)
      .select(
        sql`select ${Number(follow.followerId)}, ${Number(accountId)} where not ${blocked(follow.followerId, accountId)}`,
      )
      .onConflictDoNothing(),
    addTo(db, follow.followerId, 'followingCount', 1),
    record(db, accountFollowed, follow, sql`changes() > 0`),
  ])
  ctx.defer(() => mirrorFollow(ctx, follow))
  return { ...account, relation: { ...relation, following: true } }
}

/** Stops following an account; where it was not followed, nothing changes. */
export async function unfollowAccount(ctx: UserCtx, { accountId }: AccountRef): Promise<Account> {
  const account = await getAccount(ctx, { accountId })
  if (!account.relation) throw invalid('accountId', 'is the viewer’s own')
  const follow = { followerId: ctx.viewer.id, followeeId: accountId }
  const db = ctx.db.shardOf(ctx.viewer.id)
  await db.batch([
    db.delete(follows).where(and(eq(follows.followerId, follow.followerId), eq(follows.followeeId, accountId))),
    addTo(db, follow.followerId, 'followingCount', -1),
    record(db, accountUnfollowed, follow, sql`changes() > 0`),
  ])
  ctx.defer(() => mirrorFollow(ctx, follow))
  return { ...account, relation: { ...account.relation, following: false } }
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
    () =>
      atPrimary(ctx)
        .shardOf(followerId)
        .$count(follows, and(eq(follows.followerId, followerId), eq(follows.followeeId, followeeId))),
    (follows) =>
      db.batch(
        follows
          ? [add, addTo(db, followeeId, 'followerCount', 1)]
          : [remove, addTo(db, followeeId, 'followerCount', -1)],
      ),
  )
}

/** Whether `accountId`'s shard knows of a block between the two, in either direction. */
function blocked(accountId: Id, otherId: Id) {
  return sql`exists (select 1 from ${blocks} where ${blocks.accountId} = ${Number(accountId)} and ${blocks.otherId} = ${Number(otherId)})`
}

/** Who follows an account, the newest accounts first. */
export async function listFollowers(ctx: Ctx, { accountId, ...query }: AccountRef & PageQuery): Promise<Page<Account>> {
  const from = seek(query, followers.followerId)
  const found = ctx.db
    .shardOf(accountId)
    .select({ id: followers.followerId })
    .from(followers)
    .where(and(eq(followers.accountId, accountId), from.where))
    .orderBy(from.order(followers.followerId))
    .limit(from.limit)
  const [rows] = await Promise.all([found, requireAccount(ctx, accountId)])
  return loadPage(from, rows, (kept) => loadAccounts(ctx, idsOf(kept)))
}

/** Whom an account follows, the newest accounts first. */
export async function listFollowing(ctx: Ctx, { accountId, ...query }: AccountRef & PageQuery): Promise<Page<Account>> {
  const from = seek(query, follows.followeeId)
  const found = ctx.db
    .shardOf(accountId)
    .select({ id: follows.followeeId })
    .from(follows)
    .where(and(eq(follows.followerId, accountId), ne(follows.followeeId, accountId), from.where))
    .orderBy(from.order(follows.followeeId))
    .limit(from.limit)
  const [rows] = await Promise.all([found, requireAccount(ctx, accountId)])
  return loadPage(from, rows, (kept) => loadAccounts(ctx, idsOf(kept)))
}
