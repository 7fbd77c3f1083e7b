import { and, eq, exists, not, notExists, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { asViewer, type SystemCtx } from '../../platform/context.ts'
import { all, one, query, rowIf } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { firstIdAt, type Id, timeOf } from '../../platform/data/ids.ts'
import { fromShards, idIn, settleConcurrently } from '../../platform/data/shards.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { frameOf, publish } from '../../platform/realtime/channels.ts'
import { activeHubs, hubName, hubs } from '../../platform/realtime/hubs.ts'
import { blockBetween, isActive, isBlockedBy } from '../accounts/policy.ts'
import { followedBefore, isFollowing, readHidden } from '../accounts/queries.ts'
import { accounts, blocks } from '../accounts/tables.ts'
import { allows, awaitsFollower } from '../deliveries/policy.ts'
import { hintPush, planDeliveries } from '../deliveries/statements.ts'
import { isAddressedTo } from '../posts/policy.ts'
import { likes, posts } from '../posts/tables.ts'
import { visiblePosts } from '../posts/views.ts'
import { notificationChannel } from './channels.ts'
import { readAt } from './queries.ts'
import { type Kind, notifications, withdrawnLikes } from './tables.ts'

type NotificationInput = { id: Id; kind: Kind; actorId: Id; postId: Id | null }

/** Stores the notification if its action still exists. If not, deletes it, except that of a like, which its unlike deletes. */
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
  const { postId, actorId } = like
  const current = and(eq(likes.postId, postId), eq(likes.accountId, actorId), eq(likes.id, like.id))
  const withdrawn = and(eq(withdrawnLikes.accountId, actorId), eq(withdrawnLikes.postId, postId))
  const isLiked = all(
    exists(author),
    exists(post),
    exists(query.select(one).from(likes).where(current)),
    notExists(query.select(one).from(withdrawnLikes).where(withdrawn)),
  )
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
  const groupId = groupOf(row)
  const may = all(condition, not(blockBetween(accountId, row.actorId)), allows(accountId, row, 'inApp'))
  const db = ctx.db.shardOf(accountId)
  const [, active, [waiting], , pushes] = await db.batch([
    db
      .insert(notifications)
      .select(rowIf(notifications, { ...row, accountId, groupId, arrivedAt }, may))
      .onConflictDoNothing(),
    db
      .select({ name: hubs.name })
      .from(notifications)
      .innerJoin(hubs, eq(hubs.name, hubName(ctx, accountId)))
      .where(and(eq(notifications.accountId, accountId), eq(notifications.id, row.id))),
    db
      .select({ id: accounts.id })
      .from(accounts)
      .where(and(eq(accounts.id, accountId), awaitsFollower(accountId, row))),
    ...planDeliveries(db, accountId, row),
  ])
  if (waiting && (await followedBefore(ctx, row.actorId, accountId, row.id)))
    throw new Error('the follow of the actor has not been copied yet')
  await hintPush(ctx, accountId, pushes)
  return active
}

function groupOf({ kind, id, postId }: Row): Id | null {
  if (kind === 'follow') return firstIdAt(timeOf(id) - (timeOf(id) % DAY_MS))
  return kind === 'like' ? postId : null
}

/** A literal, so that SQLite finds the partial index `notifications_once`. */
const isFollow = sql.raw(`notifications.kind = 'follow'`)

async function withdraw(ctx: SystemCtx, accountId: Id, { actorId, postId }: NotificationInput): Promise<void> {
  if (postId !== null) return withdrawPost(ctx, [accountId], { postId, authorId: actorId })
  const which = and(eq(notifications.accountId, accountId), eq(notifications.actorId, actorId), isFollow)
  // The follower may have been blocked by the account, which then sees that the notification is gone.
  await withdrawAndTell(ctx, ctx.db.shardOf(accountId), actorId, which, not(isBlockedBy(accountId, actorId)))
}

type Post = { postId: Id; authorId: Id }

/** Deletes what tells the accounts that the post is a reply to them or mentions them. */
export async function withdrawPost(ctx: SystemCtx, accountIds: readonly Id[], post: Post): Promise<void> {
  // To use the index `notifications_of_posts`, it must have the same expression.
  const isOfPost = sql.raw(`notifications.kind in ('comment', 'mention')`)
  await fromShards(ctx.db, accountIds, async (db, group) => {
    const which = and(idIn(notifications.accountId, group), eq(notifications.postId, post.postId), isOfPost)
    const isShown = not(blockBetween(notifications.accountId, notifications.actorId))
    await withdrawAndTell(ctx, db, post.authorId, which, isShown)
    return []
  })
}

/** Says nothing about notifications that were hidden from their accounts. */
async function withdrawAndTell(ctx: SystemCtx, db: Database, actorId: Id, which: SQL | undefined, isShown: SQL) {
  const { accountId, id } = notifications
  const [shown, active, { meta }] = await db.batch([
    db.select({ accountId, id }).from(notifications).where(and(which, isShown)),
    activeHubs(db),
    db.delete(notifications).where(which),
  ])
  if (meta.changes > 0 && active.length > 0 && !(await readHidden(ctx, actorId)))
    await tellWithdrawn(ctx, shown, active)
}

/** A failure is only logged: a repeated event would find nothing to withdraw, and lists do not depend on frames. */
async function tellWithdrawn(ctx: SystemCtx, rows: readonly Withdrawn[], active: readonly Hub[]): Promise<void> {
  await settleConcurrently(rows, ({ accountId, id }) =>
    publish(ctx, hubOf(ctx, active, accountId), [
      withdrawnFrame(accountId, `withdrawn:${id}`, { ids: [id], postId: null }),
    ]),
  ).catch((error: unknown) => ctx.log.warn('a withdrawn notification was not announced', { error }))
}

/** Tells the author that the like no longer notifies, unless it was hidden from the author. */
export async function tellLikeWithdrawn(ctx: SystemCtx, authorId: Id, like: { id: Id; actorId: Id }): Promise<void> {
  const db = ctx.db.shardOf(authorId)
  const isBlocked = and(eq(blocks.accountId, authorId), eq(blocks.otherId, like.actorId))
  const [active, blocked] = await db.batch([activeHubs(db), db.select(one).from(blocks).where(isBlocked)])
  if (blocked.length > 0 || active.length === 0 || (await readHidden(ctx, like.actorId))) return
  await tellWithdrawn(ctx, [{ accountId: authorId, id: like.id }], active)
}

/** Tells the author that no like of a deleted post notifies any longer. */
export async function tellPostWithdrawn(ctx: SystemCtx, authorId: Id, postId: Id): Promise<void> {
  const active = hubOf(ctx, await activeHubs(ctx.db.shardOf(authorId)), authorId)
  await publish(ctx, active, [withdrawnFrame(authorId, `withdrawn:${postId}`, { ids: [], postId })])
}

type Withdrawn = { accountId: Id; id: Id }

const hubOf = (ctx: SystemCtx, active: readonly Hub[], accountId: Id) =>
  active.filter(({ name }) => name === hubName(ctx, accountId))

function withdrawnFrame(accountId: Id, key: string, data: { ids: Id[]; postId: Id | null }) {
  return frameOf(notificationChannel, `account:${accountId}`, { key, event: 'notification.withdrawn', data })
}
