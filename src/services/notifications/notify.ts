import { and, asc, eq, exists, gt, lte, max, not, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { asViewer, type SystemCtx } from '../../platform/context.ts'
import { all, one, query, rowIf } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { firstIdAt, type Id, timeOf } from '../../platform/data/ids.ts'
import { fromShards, idIn } from '../../platform/data/shards.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { frameOf, publish } from '../../platform/realtime/channels.ts'
import { hubName, hubs } from '../../platform/realtime/hubs.ts'
import { blockBetween, isActive } from '../accounts/policy.ts'
import { isFollowing } from '../accounts/queries.ts'
import { accounts } from '../accounts/tables.ts'
import { isAddressedTo, isLikedBy } from '../posts/policy.ts'
import { posts } from '../posts/tables.ts'
import { visiblePosts } from '../posts/views.ts'
import { notificationChannel } from './channels.ts'
import { readAt } from './queries.ts'
import { type Kind, notifications } from './tables.ts'

const HOUR_MS = 3_600_000
const ROWS_PER_STEP = 5_000

type NotificationInput = { id: Id; kind: Kind; actorId: Id; postId: Id | null }

/** Stores the notification if its action still exists. If not, deletes it. Likes are left to `withdrawLike`. */
export async function notify(ctx: SystemCtx, accountId: Id, input: NotificationInput): Promise<void> {
  const { id, kind, actorId, postId } = input
  if (accountId === actorId) return
  const isLike = kind === 'like' && postId !== null
  const active = isLike ? await insertLike(ctx, accountId, { ...input, postId }) : await sync(ctx, accountId, input)
  const frame = { key: `notification:${id}`, event: 'notification', data: { id, kind } } as const
  await publish(ctx, active, [frameOf(notificationChannel, `account:${accountId}`, frame)])
}

/** Null if the action or mention was withdrawn or the post is hidden. Otherwise the root of the post, if the post is a comment. */
async function subjectOf(
  ctx: SystemCtx,
  accountId: Id,
  { kind, actorId, postId }: NotificationInput,
): Promise<{ rootId: Id | null } | null> {
  if (postId === null) return (await isFollowing(ctx, actorId, accountId)) ? { rootId: null } : null
  const post = (await visiblePosts(asViewer(ctx, accountId), [postId])).get(postId)
  const isGone = !post || (kind === 'mention' && !isAddressedTo(accountId, post))
  return isGone ? null : { rootId: post.rootId }
}

type LikeInput = NotificationInput & { postId: Id }

/** Reads nothing first: the like, its post and its author are on this shard, so the insert checks them itself. */
function insertLike(ctx: SystemCtx, authorId: Id, like: LikeInput): Promise<Hub[]> {
  const post = query.select({ rootId: posts.rootId }).from(posts).where(eq(posts.id, like.postId))
  const author = query
    .select(one)
    .from(accounts)
    .where(and(eq(accounts.id, authorId), isActive))
  const isLiked = all(exists(author), exists(post), isLikedBy(like.postId, like.actorId))
  return insert(ctx, authorId, { ...like, rootId: post }, isLiked)
}

async function sync(ctx: SystemCtx, accountId: Id, input: NotificationInput): Promise<Hub[]> {
  let active: Hub[] = []
  await mirror(
    () => subjectOf({ ...ctx, db: atPrimary(ctx) }, accountId, input),
    async (subject) => {
      active = subject ? await insert(ctx, accountId, { ...input, ...subject }, isThere(accountId)) : []
      if (!subject) await withdraw(ctx, accountId, input)
    },
  )
  return active
}

function isThere(accountId: Id): SQL {
  return exists(query.select(one).from(accounts).where(eq(accounts.id, accountId)))
}

type Row = NotificationInput & { rootId: Id | null | SQLWrapper }

type Hub = { name: string }

/** Returns the hub of the account if the notification exists and the hub has listeners. */
async function insert(ctx: SystemCtx, accountId: Id, row: Row, condition: SQL): Promise<Hub[]> {
  // Always later than the read marker, even if this machine's clock is behind the clock that set the marker.
  const arrivedAt = sql`max(${ctx.now()}, ${readAt(accountId)} + 1)`
  const may = all(condition, not(blockBetween(accountId, row.actorId)))
  const db = ctx.db.shardOf(accountId)
  const [, active] = await db.batch([
    db
      .insert(notifications)
      .select(rowIf(notifications, { ...row, accountId, arrivedAt }, may))
      .onConflictDoNothing(),
    db
      .select({ name: hubs.name })
      .from(notifications)
      .innerJoin(hubs, eq(hubs.name, hubName(ctx, accountId)))
      .where(and(eq(notifications.accountId, accountId), eq(notifications.id, row.id))),
  ])
  return active
}

export async function withdrawLike(ctx: SystemCtx, { postId, actorId }: { postId: Id; actorId: Id }): Promise<void> {
  const authorId = query.select({ id: posts.authorId }).from(posts).where(eq(posts.id, postId))
  await ctx.db
    .shardOf(postId)
    .delete(notifications)
    .where(all(once(authorId, actorId, 'like', postId), not(isLikedBy(postId, actorId))))
}

/** Deletes the notifications about likes of a deleted post. Scans in steps, because no index finds them. */
export async function withdrawLikes(ctx: SystemCtx, { postId, authorId }: { postId: Id; authorId: Id }): Promise<void> {
  const db = ctx.db.shardOf(postId)
  const own = eq(notifications.accountId, authorId)
  for (let after = firstIdAt(timeOf(postId) - HOUR_MS); ; ) {
    const newer = and(own, gt(notifications.id, after))
    const step = query
      .select({ id: notifications.id })
      .from(notifications)
      .where(newer)
      .orderBy(asc(notifications.id))
      .limit(ROWS_PER_STEP)
      .as('step')
    const [{ last } = { last: null }] = await db.select({ last: max(step.id) }).from(step)
    if (!last) return
    await db.delete(notifications).where(and(newer, lte(notifications.id, last), eq(notifications.postId, postId)))
    after = last
  }
}

async function withdraw(ctx: SystemCtx, accountId: Id, { actorId, postId }: NotificationInput): Promise<void> {
  if (postId !== null) return withdrawPost(ctx, [accountId], postId)
  await ctx.db
    .shardOf(accountId)
    .delete(notifications)
    .where(once(accountId, actorId, 'follow', null))
}

/** Deletes what tells the accounts that the post is a reply to them or mentions them. */
export async function withdrawPost(ctx: SystemCtx, accountIds: readonly Id[], postId: Id): Promise<void> {
  // To use the index `notifications_of_posts`, it must have the same expression.
  const isOfPost = sql.raw(`notifications.kind in ('comment', 'mention')`)
  await fromShards(ctx.db, accountIds, (db, group) =>
    db
      .delete(notifications)
      .where(and(idIn(notifications.accountId, group), eq(notifications.postId, postId), isOfPost))
      .returning({ id: notifications.id }),
  )
}

/** Finds the row of a repeatable action. To use the index `notifications_once`, it must have the same expressions. */
function once(accountId: Id | SQLWrapper, actorId: Id, kind: 'follow' | 'like', postId: Id | null): SQL {
  return all(
    eq(notifications.accountId, accountId),
    eq(notifications.actorId, actorId),
    eq(notifications.kind, kind),
    sql`ifnull(${notifications.postId}, 0) = ${Number(postId)} and ${notifications.kind} in ('follow', 'like')`,
  )
}
