import { and, eq, exists, lte, not, sql } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { all, query as builder, changed, either, one } from '../../platform/data/conditions.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { idIn, mapConcurrently } from '../../platform/data/shards.ts'
import { record } from '../../platform/events/events.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { isActive } from '../accounts/policy.ts'
import { accounts } from '../accounts/tables.ts'
import { forgetWithdrawn, withdrawLikes } from '../notifications/statements.ts'
import { likesDeleted } from './events.ts'
import { markLikes } from './hiding.ts'
import { hasLikers } from './policy.ts'
import { likedPosts, likes, postLikers, posts } from './tables.ts'

/** How many likes of a deleted post one step deletes. The event of a step, `likesDeleted`, starts the next step. */
const STEP = 100
/** Up to this many likes of a post are sorted when they are listed, because a copy would cost a row for each like. */
export const LIKES_TO_SORT = 100

type Pair = { postId: Id; actorId: Id }

/**
 * Makes the lists of the post and of the account agree with `likes`. `likeId` is a like that may have ended. `expected`
 * is the like that probably exists, or null: it is listed first and checked afterwards.
 */
export async function mirrorLike(
  ctx: SystemCtx,
  { likeId, ...pair }: Pair & { likeId?: Id },
  expected?: Id | null,
): Promise<void> {
  const { postId, actorId } = pair
  const seen = new Set(likeId ? [likeId] : [])
  const db = ctx.db.shardOf(actorId)
  const shown = and(eq(accounts.id, actorId), isActive)
  let isShown = true
  const listed = (ids: Id[]) => and(eq(likedPosts.accountId, actorId), idIn(likedPosts.id, ids))
  await mirror(
    () => syncLikers(ctx, pair, seen),
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

/** Needs no `mirror`: the post's list is on the shard of its likes. Returns the id of the current like, or null. */
async function syncLikers(ctx: SystemCtx, { postId, actorId }: Pair, seen: ReadonlySet<Id>): Promise<Id | null> {
  const db = ctx.db.shardOf(postId)
  const own = and(eq(likes.postId, postId), eq(likes.accountId, actorId))
  const like = { postId: likes.postId, id: likes.id, accountId: likes.accountId }
  const isCurrent = exists(
    builder
      .select(one)
      .from(likes)
      .where(and(own, eq(likes.id, postLikers.id))),
  )
  const copied = builder.select(like).from(likes)
  const count = builder.select({ count: posts.likeCount }).from(posts).where(eq(posts.id, postId))
  const isMany = all(not(hasLikers(postId)), lte(sql`${LIKES_TO_SORT}`, count))
  const [, , , [current]] = await db.batch([
    db
      .insert(postLikers)
      .select(copied.where(and(own, hasLikers(postId))))
      .onConflictDoNothing(),
    db
      .insert(postLikers)
      .select(copied.where(eq(likes.postId, either(isMany, Number(postId), null))))
      .onConflictDoNothing(),
    db.delete(postLikers).where(and(eq(postLikers.postId, postId), idIn(postLikers.id, [...seen]), not(isCurrent))),
    db.select({ id: likes.id }).from(likes).where(own),
  ])
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
