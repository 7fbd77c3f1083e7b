import { and, eq, sql } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { query as builder } from '../../platform/data/conditions.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import {
  type GrowingPage,
  loadGrowingPage,
  loadPage,
  type Page,
  type PageQuery,
  preparedSeek,
  type Seek,
  seek,
} from '../../platform/data/page.ts'
import { prepared } from '../../platform/data/prepared.ts'
import { notFound } from '../../platform/failures.ts'
import { feedIndex, lanes } from '../feed/tables.ts'
import { threadIndex } from './tables.ts'
import { hydrateOn, loadHydrated, type Post, viewerOf, visiblePosts } from './views.ts'

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
  const [rows, readable] = await Promise.all([
    preparedComments(ctx.db.shardOf(postId), variant, values),
    visiblePosts(ctx, [postId]),
  ])
  const thread = readable.get(postId)
  if (!thread) throw notFound()
  const roots = new Set([thread.rootId ?? thread.id])
  return loadGrowingPage(ctx, from, thread.isThreadVisible ? rows : [], (kept) =>
    loadHydrated(ctx, shardOf(postId), kept, roots),
  )
}

const preparedOwnComments = prepared((variant: Seek['variant']) => {
  const from = preparedSeek(feedIndex.postId, variant)
  const viewerId = sql.placeholder('viewerId')
  const skeleton = builder
    .select({ id: feedIndex.postId })
    .from(feedIndex)
    .where(and(eq(feedIndex.authorId, viewerId), eq(feedIndex.lane, lanes.comments), from.where))
    .orderBy(from.order(feedIndex.postId))
    .limit(from.limit)
    .as('skeleton')
  return hydrateOn(viewerId, skeleton).orderBy(from.order(skeleton.id))
})

export async function listMyComments(ctx: UserCtx, query: PageQuery): Promise<Page<Post>> {
  const { id } = ctx.viewer
  const from = await seek(ctx, query, `comments by ${id}`, feedIndex.postId)
  const rows = await preparedOwnComments(ctx.db.shardOf(id), from.variant, { viewerId: Number(id), ...from.values })
  return loadPage(ctx, from, rows, (kept) => loadHydrated(ctx, shardOf(id), kept))
}
