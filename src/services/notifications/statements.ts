import { and, eq, exists, inArray } from 'drizzle-orm'
import { query, rowIf } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { likes, posts } from '../posts/tables.ts'
import { notifications, withdrawnLikes } from './tables.ts'

type Pair = { postId: Id; actorId: Id }
const MARKS_PER_STEP = 1_000

/** Before the like is deleted: deletes its notification. If there was one, `isRemembered` keeps the next like from notifying. */
export function withdrawLike(db: Database, { postId, actorId }: Pair, isRemembered: boolean) {
  const own = and(eq(likes.postId, postId), eq(likes.accountId, actorId))
  const [likeId, likedId] = [likes.id, likes.postId].map((column) => query.select({ column }).from(likes).where(own))
  // The post is read only if there is a like, because the cost of an unlike must not reveal a hidden post.
  const authorId = query.select({ id: posts.authorId }).from(posts).where(inArray(posts.id, likedId!))
  const told = and(
    inArray(notifications.accountId, authorId),
    inArray(notifications.id, likeId!),
    eq(notifications.kind, 'like'),
  )
  const wasTold = exists(query.select({ id: notifications.id }).from(notifications).where(told))
  const mark = { accountId: actorId, postId }
  const remember = db
    .insert(withdrawnLikes)
    .select(rowIf(withdrawnLikes, mark, wasTold))
    .onConflictDoNothing()
  return [...(isRemembered ? [remember] : []), db.delete(notifications).where(told)]
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
