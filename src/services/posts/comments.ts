import { and, eq, exists, sql } from 'drizzle-orm'
import type { Ctx, SystemCtx } from '../../platform/context.ts'
import { query as builder, changed, increment, one, rowIf } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import {
  type GrowingPage,
  loadGrowingPage,
  type PageQuery,
  preparedSeek,
  type Seek,
  seek,
} from '../../platform/data/page.ts'
import { prepared } from '../../platform/data/prepared.ts'
import { mirror } from '../../platform/events/mirror.ts'
import { getPost } from './posts.ts'
import { posts, threadIndex } from './tables.ts'
import { hydrateOn, loadHydrated, type Post, viewerOf } from './views.ts'

const preparedComments = prepared((variant: Seek['variant'] & { hasViewer: boolean }) => {
  const from = preparedSeek(threadIndex.postId, variant, 'oldest')
  const skeleton = builder
    .select({ id: threadIndex.postId })
    .from(threadIndex)
    .where(and(eq(threadIndex.threadId, sql.placeholder('threadId')), from.where))
    .orderBy(from.order(threadIndex.postId))
    .limit(from.limit)
    .as('skeleton')
  return hydrateOn(viewerOf(variant), skeleton).orderBy(from.order(skeleton.id))
})

/** Lists the whole thread of a post, or the direct replies to a comment. */
export async function listComments(
  ctx: Ctx,
  { postId, ...query }: { postId: Id } & PageQuery,
): Promise<GrowingPage<Post>> {
  const from = await seek(ctx, query, `comments of ${postId}`, threadIndex.postId, 'oldest')
  const variant = { ...from.variant, hasViewer: ctx.viewer !== null }
  const values = { threadId: Number(postId), viewerId: Number(ctx.viewer?.id), ...from.values }
  const [rows, thread] = await Promise.all([
    preparedComments(ctx.db.shardOf(postId), variant, values),
    getPost(ctx, { postId }),
  ])
  const roots = new Set([thread.rootId ?? thread.id])
  return loadGrowingPage(ctx, from, rows, (kept) => loadHydrated(ctx, shardOf(postId), kept, roots))
}

export async function indexComment(ctx: SystemCtx, { threadId, postId }: { threadId: Id; postId: Id }): Promise<void> {
  const db = ctx.db.shardOf(threadId)
  const isThread = exists(builder.select(one).from(posts).where(eq(posts.id, threadId)))
  const add = db
    .insert(threadIndex)
    .select(rowIf(threadIndex, { threadId, postId }, isThread))
    .onConflictDoNothing()
  const remove = db.delete(threadIndex).where(and(eq(threadIndex.threadId, threadId), eq(threadIndex.postId, postId)))
  const count = (by: 1 | -1) =>
    db
      .update(posts)
      .set({ commentCount: increment(posts.commentCount, by) })
      .where(and(eq(posts.id, threadId), changed))
  await mirror(
    () => atPrimary(ctx).shardOf(postId).$count(posts, eq(posts.id, postId)),
    (isThere) => db.batch(isThere ? [add, count(1)] : [remove, count(-1)]),
  )
}
