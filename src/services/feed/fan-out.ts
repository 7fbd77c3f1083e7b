import { z } from '@hono/zod-openapi'
import { and, asc, eq, gt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { idIn, mapConcurrently } from '../../platform/data/shards.ts'
import { defineTask, enqueue } from '../../platform/events/tasks.ts'
import { publish } from '../../platform/realtime/channels.ts'
import { presence } from '../../platform/realtime/presence.ts'
import { followers, follows } from '../accounts/tables.ts'
import { homeChannel } from './channels.ts'
import { onlinePushLimit } from './variables.ts'

const CHUNK = 1_000

/** Pushes to one chunk of the online followers on a shard: those after `after`. `pushed` counts the earlier pushes. */
export const fanOutPost = defineTask(
  'FANOUT',
  'feed.fan-out-post',
  z.object({ postId: Id, authorId: Id, shard: z.int(), after: Id.nullable(), pushed: z.int() }),
)
type FanOut = z.infer<typeof fanOutPost.data>

export async function enqueueFanOut(ctx: SystemCtx, { postId, authorId }: { postId: Id; authorId: Id }): Promise<void> {
  await enqueue(
    ctx,
    fanOutPost,
    ctx.db.shards.map((shard) => ({ postId, authorId, shard, after: null, pushed: 0 })),
  )
}

function onlineFollowers(ctx: SystemCtx, { authorId, shard, after }: FanOut) {
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

/** Best effort: followers beyond `ONLINE_PUSH_LIMIT` get no push and find the post in their feed. */
export async function pushToOnlineFollowers(ctx: SystemCtx, task: FanOut): Promise<void> {
  const { postId, authorId, pushed } = task
  const ids = (await onlineFollowers(ctx, task)).map((row) => row.id)
  const room = Math.max(0, onlinePushLimit(ctx) - pushed)
  const recipients = (await stillFollowing(ctx, authorId, ids)).slice(0, room)
  const frame = { key: `post:${postId}`, event: 'post.published', data: { postId, authorId } } as const
  await mapConcurrently(recipients, (accountId) =>
    publish(ctx, { channel: homeChannel, accountId }, frame).catch((error: unknown) =>
      ctx.log.warn('a push was lost', { accountId, error }),
    ),
  )
  const last = ids.at(-1)
  if (!last || ids.length < CHUNK || recipients.length === room) return
  await enqueue(ctx, fanOutPost, [{ ...task, after: last, pushed: pushed + recipients.length }])
}

/** Omits accounts that the author has blocked. Their follow ends on the author's shard first, on their own later. */
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
