import { and, eq, sql } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import type { Bound, Database } from '../../platform/data/databases.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { idsOf, loadPage, type Page, type PageQuery, preparedSeek, type Seek, seek } from '../../platform/data/page.ts'
import { prepared } from '../../platform/data/prepared.ts'
import { follows } from '../accounts/tables.ts'
import { requireAccount } from '../accounts/views.ts'
import { hydrateOn, hydratePage, loadPosts, type Post } from '../posts/views.ts'
import { feedIndex, lane, publicPosts } from './tables.ts'

/**
 * The ids of a home feed, with the posts that the reader's own shard holds: one statement there that only seeks. The join
 * order is forced (CROSS JOIN), for a planner left free would scan the posts of the whole network when the people followed
 * are quiet. It reads about three rows per person followed, whatever the network's size and however deep the page.
 */
export function selectHome(db: Database, readerId: Bound<Id>, from: ReturnType<typeof preparedSeek>) {
  const found = db
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
    .orderBy(from.order(feedIndex.postId))
    .limit(from.limit)
    .as('found')
  return hydrateOn(db, readerId, found).orderBy(from.order(found.id))
}

const preparedHome = prepared((db, variant: Seek['variant']) =>
  selectHome(db, sql.placeholder('readerId'), preparedSeek(feedIndex.postId, variant)),
)

/** The newest posts of the people whom the viewer follows, and the viewer's own. */
export async function homeFeed(ctx: UserCtx, query: PageQuery): Promise<Page<Post>> {
  const { id } = ctx.viewer
  const from = await seek(ctx, query, `home feed of ${id}`, feedIndex.postId)
  const rows = await preparedHome(ctx.db.shardOf(id), from.variant, { readerId: Number(id), ...from.values })
  return loadPage(ctx, from, rows, (kept) => hydratePage(ctx, shardOf(id), kept))
}

/** The newest public posts of the whole network. */
export async function publicFeed(ctx: Ctx, query: PageQuery): Promise<Page<Post>> {
  const from = await seek(ctx, query, 'public feed', publicPosts.postId)
  const rows = await ctx.db.index
    .select({ id: publicPosts.postId })
    .from(publicPosts)
    .where(from.where)
    .orderBy(from.order(publicPosts.postId))
    .limit(from.limit)
  return loadPage(ctx, from, rows, (kept) => loadPosts(ctx, idsOf(kept)))
}

/** An account's own posts, newest first, without its comments. */
export async function accountFeed(
  ctx: Ctx,
  { accountId, ...query }: { accountId: Id } & PageQuery,
): Promise<Page<Post>> {
  const from = await seek(ctx, query, `posts of ${accountId}`, feedIndex.postId)
  const db = ctx.db.shardOf(accountId)
  const found = db
    .select({ id: feedIndex.postId })
    .from(feedIndex)
    .where(and(eq(feedIndex.authorId, accountId), eq(feedIndex.lane, lane.posts), from.where))
    .orderBy(from.order(feedIndex.postId))
    .limit(from.limit)
    .as('found')
  const [rows] = await Promise.all([
    hydrateOn(db, ctx.viewer?.id ?? null, found).orderBy(from.order(found.id)),
    requireAccount(ctx, accountId),
  ])
  return loadPage(ctx, from, rows, (kept) => hydratePage(ctx, shardOf(accountId), kept))
}
