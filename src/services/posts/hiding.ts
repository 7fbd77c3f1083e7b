import { and, asc, eq, gt, inArray } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { query as builder, increment } from '../../platform/data/conditions.ts'
import { atPrimary, type Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { fromShards, idIn } from '../../platform/data/shards.ts'
import { continueWith, record } from '../../platform/events/events.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { readHidden } from '../accounts/queries.ts'
import { feedIndex, lanes } from '../feed/tables.ts'
import { listsToMark } from './events.ts'
import { likedPosts, likes, posts } from './tables.ts'
import { markComments } from './threads.ts'

/** How many likes or comments one step marks. */
const STEP = 100

type Step = { accountId: Id; list: 'likes' | 'comments'; after: Id | null }

/** Marks the likes and comments of a hidden account, so that counts leave them out, or removes the marks. */
export async function startMarking(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  const db = ctx.db.shardOf(accountId)
  await db.commit([
    record(db, listsToMark, { accountId, list: 'likes', after: null }),
    record(db, listsToMark, { accountId, list: 'comments', after: null }),
  ])
}

export async function markLists(ctx: SystemCtx, step: Step, eventId: Id): Promise<void> {
  const marked = await (step.list === 'likes' ? markLikesAfter : markCommentsAfter)(ctx, step)
  const last = marked[STEP - 1]
  if (last) await continueWith(ctx.db.shardOf(step.accountId), eventId, listsToMark, { ...step, after: last.id })
}

async function markLikesAfter(ctx: SystemCtx, { accountId, after }: Step) {
  const rows = await atPrimary(ctx)
    .shardOf(accountId)
    .select({ id: likedPosts.id, postId: likedPosts.postId })
    .from(likedPosts)
    .where(and(eq(likedPosts.accountId, accountId), after ? gt(likedPosts.id, after) : undefined))
    .orderBy(asc(likedPosts.id))
    .limit(STEP)
  const postIds = rows.map(({ postId }) => postId)
  await markLikes(ctx, accountId, postIds)
  return rows
}

async function markCommentsAfter(ctx: SystemCtx, { accountId, after }: Step) {
  const own = and(eq(feedIndex.authorId, accountId), eq(feedIndex.lane, lanes.comments))
  const rows = await atPrimary(ctx)
    .shardOf(accountId)
    .select({ id: feedIndex.postId, rootId: posts.rootId, parentId: posts.parentId })
    .from(feedIndex)
    .innerJoin(posts, eq(posts.id, feedIndex.postId))
    .where(and(own, after ? gt(feedIndex.postId, after) : undefined))
    .orderBy(asc(feedIndex.postId))
    .limit(STEP)
  const comments = rows.map(({ id, ...place }) => ({ postId: id, ...place }))
  await markComments(ctx, accountId, comments)
  return rows
}

export async function markLikes(ctx: SystemCtx, actorId: Id, postIds: readonly Id[]): Promise<void> {
  await mirror(
    () => readHidden(ctx, actorId),
    (hidden) => fromShards(ctx.db, postIds, (db, ids) => db.batch(marks(db, actorId, ids, hidden))),
  )
}

function marks(db: Database, actorId: Id, postIds: readonly Id[], hidden: boolean) {
  const own = and(idIn(likes.postId, postIds), eq(likes.accountId, actorId))
  const stale = and(own, eq(likes.hidden, !hidden))
  const counted = builder.select({ id: likes.postId }).from(likes).where(stale)
  return [
    db
      .update(posts)
      .set({ likeCount: increment(posts.likeCount, hidden ? -1 : 1) })
      .where(inArray(posts.id, counted)),
    db.update(likes).set({ hidden }).where(stale),
  ] as const
}
