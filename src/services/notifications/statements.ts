import { and, eq, exists, inArray, type SQL } from 'drizzle-orm'
import { query, rowIf } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { likes, posts } from '../posts/tables.ts'
import { notifications, withdrawnLikes } from './tables.ts'

type Pair = { postId: Id; actorId: Id }
const MARKS_PER_STEP = 1_000

/** The notification of a like that still exists, for the shard of the post. */
function ofLike({ postId, actorId }: Pair): SQL | undefined {
  const own = and(eq(likes.postId, postId), eq(likes.accountId, actorId))
  const [likeId, likedId] = [likes.id, likes.postId].map((column) => query.select({ column }).from(likes).where(own))
  // The post is read only if there is a like, because the cost of an unlike must not reveal a hidden post.
  const authorId = query.select({ id: posts.authorId }).from(posts).where(inArray(posts.id, likedId!))
  return and(
    inArray(notifications.accountId, authorId),
    inArray(notifications.id, likeId!),
    eq(notifications.kind, 'like'),
  )
}

/** The account that has a notification of the like. */
export function toldOfLike(pair: Pair) {
  return query.select({ id: notifications.accountId }).from(notifications).where(ofLike(pair))
}

/** Before the like is deleted: deletes its notification. If there was one, `isRemembered` keeps the next like from notifying. */
export function withdrawLike(db: Database, pair: Pair, isRemembered: boolean) {
  const mark = { accountId: pair.actorId, postId: pair.postId }
  const remember = db
    .insert(withdrawnLikes)
    .select(rowIf(withdrawnLikes, mark, exists(toldOfLike(pair))))
    .onConflictDoNothing()
  return [...(isRemembered ? [remember] : []), db.delete(notifications).where(ofLike(pair))]
}

/** Deletes the notifications about likes of a deleted post, which have the ids of the likes. */
export function withdrawLikes(db: Database, authorId: Id, likeIds: readonly Id[]) {
  const own = and(eq(notifications.accountId, authorId), idIn(notifications.id, likeIds))
  return db.delete(notifications).where(and(own, eq(notifications.kind, 'like')))
}

/** One step, for a deleted post. Repeat it while it returns `MARKS_PER_STEP` rows. */
export function forgetWithdrawn(db: Database, postId: Id) {
  const own = eq(withdrawnLikes.postId, postId)
  const step = query.select({ id: withdrawnLikes.accountId }).from(withdrawnLikes).where(own).limit(MARKS_PER_STEP)
  return db.delete(withdrawnLikes).where(and(own, inArray(withdrawnLikes.accountId, step)))
}
