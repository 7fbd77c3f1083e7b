import type { z } from '@hono/zod-openapi'
import { and, eq, sql } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { type Bound, query as builder, either } from '../../platform/data/conditions.ts'
import { Id, shardOf } from '../../platform/data/ids.ts'
import {
  DEFAULT_LIMIT,
  idsOf,
  loadPage,
  namedPage,
  type Page,
  PageQuery,
  preparedSeek,
  type Seek,
  seek,
} from '../../platform/data/page.ts'
import { prepared } from '../../platform/data/prepared.ts'
import { QueryIds } from '../../platform/data/query-ids.ts'
import { isFollowedBy } from '../accounts/policy.ts'
import { requireAccount } from '../accounts/queries.ts'
import { follows } from '../accounts/tables.ts'
import { hydrateOn, loadHydrated, loadPosts, type Post, viewerOf } from '../posts/views.ts'
import { tagFollows } from '../search/tables.ts'
import { feedIndex, lanes, publicPosts } from './tables.ts'

/** CROSS JOIN forces SQLite's join order: otherwise the planner may scan the posts of the whole network. */
export function selectHome(readerId: Bound<Id>, from: ReturnType<typeof preparedSeek>) {
  const skeleton = builder
    .select({ id: feedIndex.postId })
    .from(follows)
    .crossJoin(feedIndex)
    .where(
      and(
        eq(follows.followerId, readerId),
        eq(feedIndex.authorId, follows.followeeId),
        eq(feedIndex.lane, lanes.posts),
        from.where,
      ),
    )
    .orderBy(from.order(feedIndex.postId))
    .limit(from.limit)
    .as('skeleton')
  return hydrateOn(readerId, skeleton).orderBy(from.order(skeleton.id))
}

const preparedHome = prepared((variant: Seek['variant']) =>
  selectHome(sql.placeholder('readerId'), preparedSeek(feedIndex.postId, variant)),
)

const preparedTags = prepared(() =>
  builder
    .select({ tag: tagFollows.tag })
    .from(tagFollows)
    .where(eq(tagFollows.accountId, sql.placeholder('readerId'))),
)

export async function homeFeed(ctx: UserCtx, query: PageQuery): Promise<Page<Post>> {
  const { id } = ctx.viewer
  const from = await seek(ctx, query, `home feed of ${id}`, feedIndex.postId)
  const db = ctx.db.shardOf(id)
  const [rows, followed] = await Promise.all([
    preparedHome(db, from.variant, { readerId: Number(id), ...from.values }),
    preparedTags(db, {}, { readerId: Number(id) }),
  ])
  const load = (kept: readonly (typeof rows)[number][]) => loadHydrated(ctx, shardOf(id), kept)
  if (followed.length === 0) return loadPage(ctx, from, rows, load)
  const { loadWithTagged } = await import('../search/queries.ts')
  return loadWithTagged(ctx, from, { rows, tags: followed.map(({ tag }) => tag), load })
}

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

/** Strangers read a lane without followers-only posts: if these were filtered out, short pages would reveal them. */
function laneFor({ hasViewer, isOwn }: { hasViewer: boolean; isOwn: boolean }) {
  if (isOwn) return lanes.posts
  if (!hasViewer) return lanes.publicPosts
  const isFollower = isFollowedBy(sql.placeholder('authorId'), sql.placeholder('viewerId'))
  return either(isFollower, lanes.posts, lanes.publicPosts)
}

export function selectAccountFeed(variant: Seek['variant'] & { hasViewer: boolean; isOwn: boolean }) {
  const from = preparedSeek(feedIndex.postId, variant)
  const page = and(eq(feedIndex.authorId, sql.placeholder('authorId')), eq(feedIndex.lane, laneFor(variant)))
  const skeleton = builder
    .select({ id: feedIndex.postId })
    .from(feedIndex)
    .where(and(page, from.where))
    .orderBy(from.order(feedIndex.postId))
    .limit(from.limit)
    .as('skeleton')
  return hydrateOn(viewerOf(variant), skeleton).orderBy(from.order(skeleton.id))
}

const preparedAccountFeed = prepared(selectAccountFeed)

export async function accountFeed(
  ctx: Ctx,
  { accountId, ...query }: { accountId: Id } & PageQuery,
): Promise<Page<Post>> {
  const from = await seek(ctx, query, `posts of ${accountId}`, feedIndex.postId)
  const variant = { ...from.variant, hasViewer: ctx.viewer !== null, isOwn: ctx.viewer?.id === accountId }
  const values = { authorId: Number(accountId), viewerId: Number(ctx.viewer?.id), ...from.values }
  const [rows] = await Promise.all([
    preparedAccountFeed(ctx.db.shardOf(accountId), variant, values),
    requireAccount(ctx, accountId),
  ])
  return loadPage(ctx, from, rows, (kept) => loadHydrated(ctx, shardOf(accountId), kept))
}

export const WantedPosts = PageQuery.extend({
  ids: QueryIds.optional().openapi({ description: 'The posts to read. Excludes `author`, `limit` and `cursor`' }),
  author: Id.optional().openapi({ description: 'The account whose posts to list. Excludes `ids`' }),
  limit: PageQuery.shape.limit.unwrap().optional().openapi({ default: DEFAULT_LIMIT }),
}).superRefine(({ ids, author, limit, cursor }, { addIssue }) => {
  const refuse = (name: string, message: string) => addIssue({ code: 'custom', path: [name], message })
  if (ids ? author : !author) refuse('ids', 'send either ids or author')
  else if (ids && limit) refuse('limit', 'is not allowed with ids')
  else if (ids && cursor) refuse('cursor', 'is not allowed with ids')
})
type WantedPosts = z.infer<typeof WantedPosts>

/** The named posts in their order, without those that the viewer may not read; or a page of an author's posts. */
export async function listPosts(ctx: Ctx, { ids = [], author, limit = DEFAULT_LIMIT, cursor }: WantedPosts) {
  if (author) return accountFeed(ctx, { accountId: author, limit, cursor })
  return namedPage(ids, await loadPosts(ctx, ids))
}
