import { and, eq, inArray, lte, not, type SQL, sql } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { all, query as builder, changed, either } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { idIn, mapConcurrently } from '../../platform/data/shards.ts'
import { record } from '../../platform/events/events.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { isActive } from '../accounts/policy.ts'
import { accounts } from '../accounts/tables.ts'
import { forgetWithdrawn, withdrawLikes } from '../notifications/statements.ts'
import { likersToList, likesDeleted } from './events.ts'
import { markLikes } from './hiding.ts'
import { hasLikers } from './policy.ts'
import { likedPosts, likes, postLikers, posts } from './tables.ts'

/** How many likes of a deleted post one step deletes. The event of a step, `likesDeleted`, starts the next step. */
const STEP = 100
/** Up to this many likes of a post are sorted when they are listed, because a copy would cost a row for each like. */
export const LIKES_TO_SORT = 100

type Pair = { postId: Id; actorId: Id }

const ownLike = ({ postId, actorId }: Pair) => and(eq(likes.postId, postId), eq(likes.accountId, actorId))
const isOnOneShard = ({ postId, actorId }: Pair) => shardOf(postId) === shardOf(actorId)
const liker = () =>
  builder.select({ postId: likes.postId, id: likes.id, accountId: likes.accountId }).from(likes).$dynamic()

/** After the like was inserted: lists it where a list is on its shard. An event does the rest. */
export function listLike(db: Database, pair: Pair) {
  const { postId } = pair
  const count = builder.select({ count: posts.likeCount }).from(posts).where(eq(posts.id, postId))
  const isMany = all(not(hasLikers(postId)), lte(sql`${LIKES_TO_SORT}`, count))
  const liked = { accountId: likes.accountId, id: likes.id, postId: likes.postId }
  const ofAccount = () => builder.select(liked).from(likes).where(ownLike(pair))
  return [
    db
      .insert(postLikers)
      .select(liker().where(and(ownLike(pair), hasLikers(postId))))
      .onConflictDoNothing(),
    record(db, likersToList, { postId }, isMany),
    ...(isOnOneShard(pair) ? [db.insert(likedPosts).select(ofAccount()).onConflictDoNothing()] : []),
  ]
}

/** Before the like is deleted, if `condition` holds: removes it from the lists on its shard. */
export function unlistLike(db: Database, pair: Pair, condition: SQL) {
  const id = builder.select({ id: likes.id }).from(likes).where(ownLike(pair))
  const ofPost = and(eq(postLikers.postId, pair.postId), inArray(postLikers.id, id), condition)
  const ofAccount = and(eq(likedPosts.accountId, pair.actorId), inArray(likedPosts.id, id), condition)
  return [db.delete(postLikers).where(ofPost), ...(isOnOneShard(pair) ? [db.delete(likedPosts).where(ofAccount)] : [])]
}

export async function listLikers(ctx: SystemCtx, { postId }: { postId: Id }): Promise<void> {
  const all = eq(likes.postId, either(hasLikers(postId), null, Number(postId)))
  await ctx.db.shardOf(postId).insert(postLikers).select(liker().where(all)).onConflictDoNothing()
}

/**
 * Makes the list of an account on another shard agree with `likes`. `likeId` may have ended. `expected` is the like that
 * probably exists, or null: it is listed first and checked afterwards.
 */
export async function mirrorLike(
  ctx: SystemCtx,
  { likeId, ...pair }: Pair & { likeId?: Id },
  expected?: Id | null,
): Promise<void> {
  if (isOnOneShard(pair)) return
  const { postId, actorId } = pair
  const seen = new Set(likeId ? [likeId] : [])
  const db = ctx.db.shardOf(actorId)
  const shown = and(eq(accounts.id, actorId), isActive)
  let isShown = true
  const listed = (ids: Id[]) => and(eq(likedPosts.accountId, actorId), idIn(likedPosts.id, ids))
  await mirror(
    () => currentLike(ctx, pair),
    async (current) => {
      const ended = [...seen].filter((id) => id !== current)
      if (current) {
        seen.add(current)
        const [, [actor]] = await db.batch([
          db.insert(likedPosts).values({ accountId: actorId, id: current, postId }).onConflictDoNothing(),
          db.select({ id: accounts.id }).from(accounts).where(shown),
        ])
        isShown = actor !== undefined
      }
      if (ended.length > 0) await db.delete(likedPosts).where(listed(ended))
    },
    expected,
  )
  if (!isShown) await markLikes(ctx, actorId, [postId])
}

async function currentLike(ctx: SystemCtx, pair: Pair): Promise<Id | null> {
  const db = atPrimary(ctx).shardOf(pair.postId)
  const [current] = await db.select({ id: likes.id }).from(likes).where(ownLike(pair))
  return current?.id ?? null
}

type Deleted = { postId: Id; authorId?: Id }

/** Deletes up to `STEP` likes of a deleted post. No like can be added, because it would need the row of the post. */
export async function deleteLikes(ctx: SystemCtx, { postId, authorId }: Deleted): Promise<void> {
  const db = ctx.db.shardOf(postId)
  const like = { id: likes.id, accountId: likes.accountId }
  const [ended, forgotten] = await db.batch([
    db.select(like).from(likes).where(eq(likes.postId, postId)).limit(STEP),
    forgetWithdrawn(db, postId),
  ])
  if (ended.length === 0 && forgotten.meta.changes === 0) return
  const [ids, accountIds] = [ended.map(({ id }) => id), ended.map(({ accountId }) => accountId)]
  const isLeft = ended.length === 0 ? undefined : changed
  await db.commit([
    db.delete(likes).where(and(eq(likes.postId, postId), idIn(likes.accountId, accountIds))),
    record(db, likesDeleted, { postId, authorId, likes: ended }, isLeft),
    db.delete(postLikers).where(and(eq(postLikers.postId, postId), idIn(postLikers.id, ids))),
    ...(authorId ? [withdrawLikes(db, authorId, ids)] : []),
  ])
}

type Ended = Deleted & { likes: { id: Id; accountId: Id }[] }

/** Removes deleted likes from the lists of their accounts, then deletes the next likes of the post. */
export async function continueDeletingLikes(ctx: SystemCtx, { likes: ended, ...post }: Ended): Promise<void> {
  const groups = [...Map.groupBy(ended, ({ accountId }) => shardOf(accountId))]
  await mapConcurrently(groups, async ([shard, group]) => {
    const db = ctx.db.shard(shard)
    const [first, ...others] = group.map(({ id, accountId }) =>
      db.delete(likedPosts).where(and(eq(likedPosts.accountId, accountId), eq(likedPosts.id, id))),
    )
    if (first) await db.batch([first, ...others])
  })
  await deleteLikes(ctx, post)
}
