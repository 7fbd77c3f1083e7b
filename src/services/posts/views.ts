import { z } from '@hono/zod-openapi'
import { and, eq, type SQL, type SQLWrapper, type Subquery, sql } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { type Bound, flag, query } from '../../platform/data/conditions.ts'
import { Id, isoTimeOf, shardOf } from '../../platform/data/ids.ts'
import { growingPageOf, pageOf } from '../../platform/data/page.ts'
import { prepared } from '../../platform/data/prepared.ts'
import { fromShards, idList, idTable } from '../../platform/data/shards.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { iso } from '../../platform/personal-data.ts'
import { accounts, summaryColumns } from '../accounts/tables.ts'
import { AccountSummary, presentSummary } from '../accounts/views.ts'
import { MediaView, mediaUrls } from '../media/views.ts'
import { Entity } from './entities.ts'
import { isAddressedTo, isLikedBy, isPublic, visibleTo } from './policy.ts'
import { posts, visibilities } from './tables.ts'

export const Visibility = openEnum('Visibility', visibilities, 'Who may read a post')

export const Post = z
  .object({
    id: Id,
    author: AccountSummary,
    text: z.string(),
    entities: z.array(Entity),
    media: z.array(MediaView),
    visibility: Visibility,
    rootId: Id.nullable(),
    parentId: Id.nullable(),
    createdAt: z.iso.datetime(),
    editedAt: z.iso.datetime().nullable().openapi({ description: 'Null if the text was never edited' }),
    likeCount: z.int(),
    commentCount: z.int(),
    liked: z.boolean().openapi({ description: 'Whether the viewer likes the post' }),
  })
  .openapi('Post', {
    example: {
      id: '1970324936974593',
      text: 'Good morning, @grace! #engines https://example.org/notes',
      rootId: null,
      parentId: null,
      editedAt: null,
      likeCount: 3,
      commentCount: 1,
      liked: true,
    },
  })
export type Post = z.infer<typeof Post>
export const PostPage = pageOf('Post', Post)
export const CommentPage = growingPageOf('Comment', Post)

function columns(viewerId: Bound<Id> | null) {
  return {
    authorId: posts.authorId,
    ...summaryColumns,
    text: posts.text,
    entities: posts.entities,
    media: posts.media,
    visibility: posts.visibility,
    rootId: posts.rootId,
    parentId: posts.parentId,
    parentAuthorId: posts.parentAuthorId,
    likeCount: posts.likeCount,
    commentCount: posts.commentCount,
    editedAt: posts.editedAt,
    liked: flag(viewerId ? isLikedBy(posts.id, viewerId) : sql`0`, 'liked'),
  }
}

function selectPosts(viewerId: Bound<Id> | null, which: SQL) {
  return query
    .select({ id: posts.id, ...columns(viewerId) })
    .from(posts)
    .innerJoin(accounts, eq(accounts.id, posts.authorId))
    .where(and(which, visibleTo(viewerId)))
}
export type PostRow = ReturnType<typeof selectPosts>['_']['result'][number]

type Skeleton = Subquery<'skeleton', { id: unknown }> & { id: SQLWrapper }

/** For `prepared`: reads the posts that `skeleton` lists. `handle` is null if a post is hidden or on another shard. */
export function hydrateOn(viewerId: Bound<Id> | null, skeleton: Skeleton) {
  return query
    .select({ id: sql<Id>`${skeleton.id}`.mapWith(posts.id).as('skeleton_id'), ...columns(viewerId) })
    .from(skeleton)
    .leftJoin(posts, eq(posts.id, skeleton.id))
    .leftJoin(accounts, and(eq(accounts.id, posts.authorId), visibleTo(viewerId)))
}
type HydratedRow = ReturnType<typeof hydrateOn>['_']['result'][number]

const isVisible = (row: HydratedRow): row is PostRow => row.handle !== null

type Variant = { hasViewer: boolean }
export const viewerOf = ({ hasViewer }: Variant) => (hasViewer ? sql.placeholder('viewerId') : null)

const preparedPost = prepared((variant: Variant) => selectPosts(viewerOf(variant), eq(posts.id, sql.placeholder('id'))))
const preparedPosts = prepared((variant: Variant) => hydrateOn(viewerOf(variant), idTable(sql.placeholder('ids'))))

function selectByShard(ctx: Ctx, ids: Iterable<Id>): Promise<PostRow[]> {
  const hasViewer = ctx.viewer !== null
  const viewerId = Number(ctx.viewer?.id)
  return fromShards(ctx.db, ids, async (db, group) => {
    if (group.length === 1) return preparedPost(db, { hasViewer }, { viewerId, id: Number(group[0]) })
    return (await preparedPosts(db, { hasViewer }, { viewerId, ids: idList(group) })).filter(isVisible)
  })
}

type ReadableRow = PostRow & { isThreadVisible: boolean }
type Ids = ReadonlySet<Id>
const none: Ids = new Set()

/**
 * Omits comments with a hidden root, except those addressed to the viewer. `loaded` are the ids that were queried
 * already. Roots that are not among them take one more round of queries.
 */
async function readableRows(ctx: Ctx, rows: PostRow[], loaded: Ids, visibleRoots = none): Promise<ReadableRow[]> {
  const visible = new Set([...visibleRoots, ...rows.flatMap((row) => (row.rootId === null ? [row.id] : []))])
  const roots = rows.flatMap(({ rootId }) => (rootId && !visible.has(rootId) && !loaded.has(rootId) ? [rootId] : []))
  if (roots.length > 0) for (const root of await selectByShard(ctx, roots)) visible.add(root.id)
  return rows.flatMap((row): ReadableRow[] => {
    if (row.rootId === null || visible.has(row.rootId)) return [{ ...row, isThreadVisible: true }]
    return isAddressedTo(ctx.viewer?.id ?? null, row) ? [{ ...row, isThreadVisible: false, commentCount: 0 }] : []
  })
}

/** Like `loadPosts`, but without presenting the rows, so that no image URL is signed. */
export async function visiblePosts(ctx: Ctx, ids: readonly Id[]): Promise<Map<Id, ReadableRow>> {
  const rows = await readableRows(ctx, await selectByShard(ctx, ids), new Set(ids))
  return new Map(rows.map((row) => [row.id, row]))
}

/** Omits posts that the viewer may not read. One query per shard, and a second round for roots that `ids` lacks. */
export async function loadPosts(ctx: Ctx, ids: readonly Id[]): Promise<Map<Id, Post>> {
  return presentPosts(ctx, [...(await visiblePosts(ctx, ids)).values()])
}

/** For rows that `hydrateOn` read on the shard `here`: only posts of other shards are queried. */
export async function loadHydrated(
  ctx: Ctx,
  here: number,
  rows: readonly HydratedRow[],
  visibleRoots?: Ids,
): Promise<Map<Id, Post>> {
  const elsewhere = rows.flatMap(({ id }) => (shardOf(id) === here ? [] : [id]))
  const found = [...rows.filter(isVisible), ...(await selectByShard(ctx, elsewhere))]
  return presentPosts(ctx, await readableRows(ctx, found, none, visibleRoots))
}

async function presentPosts(ctx: Ctx, rows: readonly ReadableRow[]): Promise<Map<Id, Post>> {
  const views = await Promise.all(rows.map((row) => presentPost(ctx, row)))
  return new Map(views.map((post) => [post.id, post]))
}

export async function presentPost(ctx: Ctx, row: PostRow): Promise<Post> {
  const { id, authorId, handle, displayName, avatarId } = row
  const images = row.media.map(async (image) => ({
    ...image,
    animated: image.animated ?? false,
    ...(await mediaUrls(ctx, image.id, isPublic(row))),
  }))
  return {
    id,
    author: presentSummary({ id: authorId, handle, displayName, avatarId }),
    text: row.text,
    entities: row.entities,
    media: images.length > 0 ? await Promise.all(images) : [],
    visibility: row.visibility,
    rootId: row.rootId,
    parentId: row.parentId,
    createdAt: isoTimeOf(id),
    editedAt: iso(row.editedAt),
    likeCount: row.likeCount,
    commentCount: row.commentCount,
    liked: row.liked,
  }
}
