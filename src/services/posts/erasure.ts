import { and, eq, inArray } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { commitByShard, idIn } from '../../platform/data/shards.ts'
import { unlistPost } from '../feed/statements.ts'
import { feedIndex, lanes } from '../feed/tables.ts'
import { unliking } from './likes.ts'
import { deleting } from './posts.ts'
import { likedPosts, posts } from './tables.ts'

const POSTS_PER_STEP = 25
const LIKES_PER_STEP = 50

export async function erasePosts(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const counts = [await eraseSomePosts(ctx, accountId), await eraseSomeLikes(ctx, accountId)]
  return counts.every((count) => count === 0)
}

/** Deletes posts as their author would, so that events delete what others have of them. */
async function eraseSomePosts(ctx: SystemCtx, authorId: Id): Promise<number> {
  const db = ctx.db.shardOf(authorId)
  const own = and(eq(feedIndex.authorId, authorId), inArray(feedIndex.lane, [lanes.posts, lanes.comments]))
  const listed = await db.select({ id: feedIndex.postId }).from(feedIndex).where(own).limit(POSTS_PER_STEP)
  const ids = listed.map(({ id }) => id)
  const rows = ids.length > 0 ? await db.select().from(posts).where(idIn(posts.id, ids)) : []
  await commitByShard(
    ctx.db,
    rows,
    ({ id }) => id,
    (shard, post) => deleting(shard, post),
  )
  await commitByShard(
    ctx.db,
    ids,
    (id) => id,
    (shard, id) => [unlistPost(shard, { id, authorId })],
  )
  return ids.length
}

/** The row in `likes` decides, so it is deleted first; the event of that deletes the copies in the lists of others. */
async function eraseSomeLikes(ctx: SystemCtx, actorId: Id): Promise<number> {
  const db = ctx.db.shardOf(actorId)
  const own = eq(likedPosts.accountId, actorId)
  const rows = await db.select().from(likedPosts).where(own).limit(LIKES_PER_STEP)
  await commitByShard(
    ctx.db,
    rows,
    ({ postId }) => postId,
    (shard, { postId }) => unliking(shard, { postId, actorId }, false),
  )
  const ids = rows.map(({ id }) => id)
  if (ids.length > 0) await db.delete(likedPosts).where(and(own, idIn(likedPosts.id, ids)))
  return ids.length
}
