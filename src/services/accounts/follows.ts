import { and, eq, exists, lt, ne, not } from 'drizzle-orm'
import type { Ctx, SystemCtx, UserCtx } from '../../platform/context.ts'
import { all, query as builder, changed, flag, one, rowIf } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { loadPage, type Page, type PageQuery, seek } from '../../platform/data/page.ts'
import { record, recordedId } from '../../platform/events/events.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { Failure, invalid } from '../../platform/failures.ts'
import { tryRefreshHub } from '../../platform/realtime/hub.client.ts'
import { activeHubs } from '../../platform/realtime/hubs.ts'
import { getAccount, requireKnownOther } from './accounts.ts'
import { accountFollowed, accountUnfollowed } from './events.ts'
import { markFollowee, marksOfFollower } from './hiding.ts'
import { blockBetween, isActive, isHidden } from './policy.ts'
import { requireAccount } from './queries.ts'
import { addTo, isCounted } from './statements.ts'
import { accounts, followers, follows } from './tables.ts'
import { type Account, loadListedAccounts } from './views.ts'

type AccountPath = { accountId: Id }
type Follow = { followerId: Id; followeeId: Id }

/** Limits the cost of a home feed, which reads about three rows per followed account. */
const MAX_FOLLOWING = 5_000

export async function followAccount(ctx: UserCtx, { accountId }: AccountPath): Promise<Account> {
  const { account, relation } = await loadFollowable(ctx, accountId)
  const follow = { followerId: ctx.viewer.id, followeeId: accountId }
  const db = ctx.db.shardOf(ctx.viewer.id)
  const isNew = not(exists(builder.select(one).from(follows).where(pair(follow))))
  const mayFollow = all(isNew, mayFollowMore(follow.followerId), not(blockBetween(follow.followerId, accountId)))
  const [, , , [follower], active] = await db.commit([
    record(db, accountFollowed, follow, mayFollow),
    db.insert(follows).select(rowIf(follows, { ...follow, id: recordedId, hidden: false }, changed)),
    addTo(db, follow.followerId, 'followingCount', 1, changed),
    db.select({ follows: follows.followeeId }).from(follows).where(pair(follow)),
    activeHubs(db),
  ])
  if (!follower) {
    // Refused. If the reason is a block that the first check did not see, this throws. If not, it is the limit.
    await loadFollowable({ ...ctx, db: atPrimary(ctx) }, accountId)
    throw new Failure('conflict', `You already follow ${MAX_FOLLOWING} accounts`)
  }
  ctx.defer(() => mirrorFollow(ctx, follow))
  await tryRefreshHub(ctx, follow.followerId, active)
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
  requireKnownOther(ctx, accountId)
  const follow = { followerId: ctx.viewer.id, followeeId: accountId }
  const db = ctx.db.shardOf(ctx.viewer.id)
  const [, , , active] = await db.commit([...unfollowing(db, follow), activeHubs(db)])
  ctx.defer(() => mirrorFollow(ctx, follow))
  await tryRefreshHub(ctx, follow.followerId, active)
}

export function unfollowing(db: Database, follow: Follow) {
  return [
    addTo(db, follow.followerId, 'followingCount', -1, isCounted(follows, pair(follow))),
    db.delete(follows).where(pair(follow)),
    record(db, accountUnfollowed, follow, changed),
  ] as const
}

export async function mirrorFollow(ctx: SystemCtx, { followerId, followeeId }: Follow): Promise<void> {
  const db = ctx.db.shardOf(followeeId)
  const copy = and(eq(followers.accountId, followeeId), eq(followers.followerId, followerId))
  const followee = and(eq(accounts.id, followeeId), isActive)
  let isShown = true
  await mirror(
    () => readFollow(ctx, { followerId, followeeId }),
    async (follow) => {
      if (!follow) {
        const uncount = addTo(db, followeeId, 'followerCount', -1, isCounted(followers, copy))
        return void (await db.batch([uncount, db.delete(followers).where(copy)]))
      }
      // An old follow, made before follows had ids, has its followee's id in `follows`, and its follower's id in `followers`.
      const id = follow.id === followeeId ? followerId : follow.id
      const row = { accountId: followeeId, followerId, id, hidden: false }
      const [[shown]] = await db.batch([
        db.select({ id: accounts.id }).from(accounts).where(followee),
        db
          .insert(followers)
          .select(rowIf(followers, row, not(blockBetween(followeeId, followerId))))
          .onConflictDoNothing(),
        addTo(db, followeeId, 'followerCount', 1, changed),
        db
          .update(followers)
          .set({ id })
          .where(and(copy, ne(followers.id, id))),
        ...marksOfFollower(db, followerId, [followeeId], follow.hidden),
      ])
      isShown = shown !== undefined
    },
  )
  if (!isShown) await markFollowee(ctx, followeeId, [followerId])
}

async function readFollow(ctx: SystemCtx, follow: Follow) {
  const [found] = await atPrimary(ctx)
    .shardOf(follow.followerId)
    .select({ id: follows.id, hidden: flag(isHidden(follow.followerId), 'is_hidden') })
    .from(follows)
    .where(pair(follow))
  return found ?? null
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
  const from = await seek(ctx, query, `newest followers of ${accountId}`, followers.id)
  const found = ctx.db
    .shardOf(accountId)
    .select({ id: followers.id, accountId: followers.followerId })
    .from(followers)
    .where(and(eq(followers.accountId, accountId), from.where))
    .orderBy(from.order(followers.id))
    .limit(from.limit)
  const [rows] = await Promise.all([found, requireAccount(ctx, accountId)])
  return loadPage(ctx, from, rows, (kept) => loadListedAccounts(ctx, kept))
}

export async function listFollowing(
  ctx: Ctx,
  { accountId, ...query }: AccountPath & PageQuery,
): Promise<Page<Account>> {
  const from = await seek(ctx, query, `newest follows of ${accountId}`, follows.id)
  const found = ctx.db
    .shardOf(accountId)
    .select({ id: follows.id, accountId: follows.followeeId })
    .from(follows)
    .where(and(eq(follows.followerId, accountId), ne(follows.followeeId, accountId), from.where))
    .orderBy(from.order(follows.id))
    .limit(from.limit)
  const [rows] = await Promise.all([found, requireAccount(ctx, accountId)])
  return loadPage(ctx, from, rows, (kept) => loadListedAccounts(ctx, kept))
}
