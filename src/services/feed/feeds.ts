import { and, eq, sql } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import type { Bound, Database } from '../../platform/db.ts'
import type { Id } from '../../platform/ids.ts'
import { loadPage, type Page, type PageQuery, preparedSeek, type Seek, seek } from '../../platform/page.ts'
import { prepared } from '../../platform/prepared.ts'
import { follows } from '../accounts/tables.ts'
import { requireAccount } from '../accounts/views.ts'
import { loadPosts, type Post } from '../posts/views.ts'
import { feedIndex, lane, publicPosts } from './tables.ts'

/**
 * The ids of a home feed: one query on the reader's shard that only seeks. The join order is forced (CROSS JOIN), for a
 * planner left free would scan the posts of the whole network when the people followed are quiet. It reads about three
 * rows per person followed, whatever the network's size and however deep the page.
 */
export function homeSkeleton(db: Database, readerId: Bound<Id>, from: ReturnType<typeof preparedSeek>) {
  return db
    .select({ id: feedIndex.postId })
    .from(follows)
    .crossJoin(feedIndex)
    .where(
      and(
        eq(follows.followerId, readerId),
        eq(feedIndex.authorId, follows.followeeId),
        eq(feedIndex.lane, lane.posts),
        from.where,
      ),
    )
    .orderBy(from.orderBy)
    .limit(from.limit)
}

const preparedSkeleton = prepared((db, variant: { hasCursor: boolean; backward: boolean }) =>
  homeSkeleton(db, sql.placeholder('readerId'), preparedSeek(feedIndex.postId, variant)),
)

/** The newest posts of the people whom the viewer follows, and the viewer's own. */
export async function homeFeed(ctx: UserCtx, query: PageQuery): Promise<Page<Post>> {
  const { id } = ctx.viewer
  const from = seek(query, feedIndex.postId)
  const variant = { hasCursor: from.cursor !== null, backward: from.backward }
  const values = { readerId: Number(id), cursor: Number(from.cursor), limit: from.limit }
  return show(ctx, from, await preparedSkeleton(ctx.db.shardOf(id), variant, values))
}

/** The newest public posts of the whole network. */
export async function publicFeed(ctx: Ctx, query: PageQuery): Promise<Page<Post>> {
  const from = seek(query, publicPosts.postId)
  const rows = await ctx.db.index
    .select({ id: publicPosts.postId })
    .from(publicPosts)
    .where(from.where)
    .orderBy(from.orderBy)
    .limit(from.limit)
  return show(ctx, from, rows)
}

/** An account's own posts, newest first, without its comments. */
export async function accountFeed(
  ctx: Ctx,
  { accountId, ...query }: { accountId: Id } & PageQuery,
): Promise<Page<Post>> {
  const from = seek(query, feedIndex.postId)
  const found = ctx.db
    .shardOf(accountId)
    .select({ id: feedIndex.postId })
    .from(feedIndex)
    .where(and(eq(feedIndex.authorId, accountId), eq(feedIndex.lane, lane.posts), from.where))
    .orderBy(from.orderBy)
    .limit(from.limit)
  const [rows] = await Promise.all([found, requireAccount(ctx, accountId)])
  return show(ctx, from, rows)
}

function show(ctx: Ctx, from: Seek, rows: { id: Id }[]): Promise<Page<Post>> {
  return loadPage(from, rows, (ids) => loadPosts(ctx, ids))
}
