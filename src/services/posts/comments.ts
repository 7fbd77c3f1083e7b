import { and, eq, sql } from 'drizzle-orm'
import type { Ctx, SystemCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { loadPage, type Page, type PageQuery, seek } from '../../platform/data/page.ts'
import { mirror } from '../../platform/events/events.ts'
import { getPost } from './posts.ts'
import { posts, threadIndex } from './tables.ts'
import { hydrateOn, hydratePage, type Post } from './views.ts'

/** The comments under a post, oldest first: the whole thread of a post, the direct replies of a comment. */
export async function listComments(ctx: Ctx, { postId, ...query }: { postId: Id } & PageQuery): Promise<Page<Post>> {
  const from = await seek(ctx, query, `comments of ${postId}`, threadIndex.postId, 'oldest')
  const db = ctx.db.shardOf(postId)
  const found = db
    .select({ id: threadIndex.postId })
    .from(threadIndex)
    .where(and(eq(threadIndex.threadId, postId), from.where))
    .orderBy(from.order(threadIndex.postId))
    .limit(from.limit)
    .as('found')
  const [rows, thread] = await Promise.all([
    hydrateOn(db, ctx.viewer?.id ?? null, found).orderBy(from.order(found.id)),
    getPost(ctx, { postId }),
  ])
  const roots = new Set([thread.rootId ?? thread.id])
  return loadPage(ctx, from, rows, (kept) => hydratePage(ctx, shardOf(postId), kept, roots))
}

/** Lists a comment under `threadId`, on that post's shard, and counts it; or takes it out again once it is deleted. */
export async function indexComment(ctx: SystemCtx, { threadId, postId }: { threadId: Id; postId: Id }): Promise<void> {
  const db = ctx.db.shardOf(threadId)
  const entry = and(eq(threadIndex.threadId, threadId), eq(threadIndex.postId, postId))
  const count = (by: 1 | -1) =>
    db
      .update(posts)
      .set({ commentCount: sql`comment_count + ${by}` })
      .where(and(eq(posts.id, threadId), sql`changes() > 0`))
  const add = db
    .insert(threadIndex)
    .select(sql`select ${Number(threadId)}, ${Number(postId)} from ${posts} where ${posts.id} = ${Number(threadId)}`)
    .onConflictDoNothing()
  await mirror(
    () => atPrimary(ctx).shardOf(postId).$count(posts, eq(posts.id, postId)),
    (exists) => db.batch(exists ? [add, count(1)] : [db.delete(threadIndex).where(entry), count(-1)]),
  )
}
