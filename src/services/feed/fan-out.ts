import { z } from '@hono/zod-openapi'
import { and, asc, eq, gt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { atPrimary, idIn, mapConcurrently } from '../../platform/data/databases.ts'
import { Id, shardOf } from '../../platform/data/ids.ts'
import { mirror } from '../../platform/events/events.ts'
import { defineTask, enqueue } from '../../platform/events/tasks.ts'
import { presence } from '../../platform/realtime/presence.ts'
import { publish } from '../../platform/realtime/realtime.ts'
import { followers, follows } from '../accounts/tables.ts'
import { posts } from '../posts/tables.ts'
import { indexPost, unindexPost } from './statements.ts'
import { publicPosts } from './tables.ts'

const CHUNK = 1_000

/** Tells the followers of one shard who are online that a post is there, a thousand at a time from `after` on. */
export const fanOutPost = defineTask(
  'FANOUT',
  'feed.announce-post',
  z.object({ postId: Id, authorId: Id, shard: z.int(), after: Id.nullable(), told: z.int() }),
)
type Announcement = z.infer<typeof fanOutPost.data>

type Facts = { listed: boolean; isPublic: boolean; isComment: boolean }

/** What lists a post: whether it is there yet and no comment, and whether it is public. */
async function factsOf(ctx: SystemCtx, postId: Id): Promise<Facts> {
  const [post] = await atPrimary(ctx)
    .shardOf(postId)
    .select({ rootId: posts.rootId, visibility: posts.visibility })
    .from(posts)
    .where(eq(posts.id, postId))
  const isComment = post !== undefined && post.rootId !== null
  return { listed: post !== undefined && !isComment, isPublic: post?.visibility === 'public', isComment }
}

/** Makes the feed index of every other shard, and the public feed, agree with whether the post is there; answers whether. */
export function replicatePost(ctx: SystemCtx, post: { id: Id; authorId: Id }): Promise<Facts> {
  const others = ctx.db.shards.filter((shard) => shard !== shardOf(post.id))
  return mirror(
    () => factsOf(ctx, post.id),
    async ({ listed, isPublic, isComment }) => {
      if (isComment) return // never was in any of them
      await mapConcurrently(others, async (shard) => {
        const db = ctx.db.shard(shard)
        await (listed ? indexPost(db, { ...post, isComment: false }) : unindexPost(db, post))
      })
      const { index } = ctx.db
      if (listed && isPublic) {
        await index.insert(publicPosts).values({ postId: post.id, authorId: post.authorId }).onConflictDoNothing()
      } else await index.delete(publicPosts).where(eq(publicPosts.postId, post.id))
    },
  )
}

/** Starts the live push of a post: one message per shard, each for that shard's own followers. */
export async function enqueueFanOut(ctx: SystemCtx, { postId, authorId }: { postId: Id; authorId: Id }): Promise<void> {
  await enqueue(
    ctx,
    fanOutPost,
    ctx.db.shards.map((shard) => ({ postId, authorId, shard, after: null, told: 0 })),
  )
}

/** The accounts of a shard that follow the author and are online, at most a chunk of them, in order of id. */
function onlineFollowers(
  ctx: SystemCtx,
  { authorId, shard, after }: Pick<Announcement, 'authorId' | 'shard' | 'after'>,
) {
  return ctx.db
    .shard(shard)
    .select({ id: follows.followerId })
    .from(follows)
    .crossJoin(presence)
    .where(
      and(
        eq(follows.followeeId, authorId),
        after ? gt(follows.followerId, after) : undefined,
        eq(presence.accountId, follows.followerId),
      ),
    )
    .orderBy(asc(follows.followerId))
    .limit(CHUNK)
}

/**
 * Pushes a post to one chunk of online followers and passes the rest on. The push is a courtesy: above
 * `ONLINE_PUSH_LIMIT` it ends, and those clients find the post when they next look. Whoever the author's own shard no
 * longer counts as a follower, being blocked meanwhile, is told nothing.
 */
export async function pushToOnlineFollowers(ctx: SystemCtx, announcement: Announcement): Promise<void> {
  const { postId, authorId, told } = announcement
  const online = await onlineFollowers(ctx, announcement)
  const ids = online.map((row) => row.id)
  const room = Math.max(0, ctx.config.ONLINE_PUSH_LIMIT - told)
  const recipients = (await stillFollowing(ctx, authorId, ids)).slice(0, room)
  const frame = { channel: 'home', key: `post:${postId}`, event: 'post.published', data: { postId, authorId } }
  await mapConcurrently(recipients, (id) =>
    publish(ctx, id, frame).catch((error: unknown) => ctx.log.warn('a push was lost', { accountId: id, error })),
  )
  if (ids.length < CHUNK || recipients.length === room) return
  await enqueue(ctx, fanOutPost, [{ ...announcement, after: ids.at(-1)!, told: told + recipients.length }])
}

async function stillFollowing(ctx: SystemCtx, authorId: Id, ids: Id[]): Promise<Id[]> {
  const others = ids.filter((id) => id !== authorId)
  if (others.length === 0) return ids
  const rows = await ctx.db
    .shardOf(authorId)
    .select({ id: followers.followerId })
    .from(followers)
    .where(and(eq(followers.accountId, authorId), idIn(followers.followerId, others)))
  return [...rows.map((row) => row.id), ...ids.filter((id) => id === authorId)]
}
