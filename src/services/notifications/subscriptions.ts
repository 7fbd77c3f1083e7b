import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { on } from '../../platform/events/events.ts'
import { accountFollowed } from '../accounts/events.ts'
import { postLiked, postPublished } from '../posts/events.ts'
import { posts } from '../posts/tables.ts'
import { notify } from './notify.ts'
import type { Kind } from './tables.ts'

export const notificationSubscriptions = [
  on(accountFollowed, (ctx, { followerId, followeeId }, id) =>
    notify(ctx, followeeId, { id, kind: 'follow', actorId: followerId, postId: null }),
  ),
  on(postLiked, (ctx, { postId, authorId, actorId }, id) =>
    notify(ctx, authorId, { id, kind: 'like', actorId, postId }),
  ),
  on(postPublished, async (ctx, { postId, authorId }, id) => {
    const [post] = await ctx.db
      .shardOf(postId)
      .select({ entities: posts.entities, parentId: posts.parentId })
      .from(posts)
      .where(eq(posts.id, postId))
    if (!post) return
    const parentAuthorId = post.parentId && (await authorOf(ctx, post.parentId))
    const told = new Map<Id, Kind>()
    for (const entity of post.entities) if (entity.kind === 'mention') told.set(entity.accountId, 'mention')
    if (parentAuthorId) told.set(parentAuthorId, 'comment')
    await settleAll(
      [...told].map(([accountId, kind]) => notify(ctx, accountId, { id, kind, actorId: authorId, postId })),
    )
  }),
]

async function authorOf(ctx: SystemCtx, postId: Id): Promise<Id | undefined> {
  const [row] = await ctx.db
    .shardOf(postId)
    .select({ authorId: posts.authorId })
    .from(posts)
    .where(eq(posts.id, postId))
  return row?.authorId
}

/** Waits for all of the work, and only then throws what failed first: what fails keeps nothing else from being done. */
async function settleAll(work: Iterable<Promise<unknown>>): Promise<void> {
  const outcomes = await Promise.allSettled(work)
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
}
