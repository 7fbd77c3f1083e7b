import { z } from '@hono/zod-openapi'
import { and, eq, type SQL, type SQLWrapper, type Subquery, sql } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { type Bound, type Database, fromShards, idList, idTable } from '../../platform/data/databases.ts'
import { Id, shardOf, timeOf } from '../../platform/data/ids.ts'
import { pageOf } from '../../platform/data/page.ts'
import { prepared } from '../../platform/data/prepared.ts'
import { accounts } from '../accounts/tables.ts'
import { AccountSummary } from '../accounts/views.ts'
import { MediaView, mediaUrls } from '../media/views.ts'
import { Entity } from './entities.ts'
import { visibleTo } from './policy.ts'
import { likes, posts } from './tables.ts'

export const Post = z
  .object({
    id: Id,
    author: AccountSummary,
    text: z.string(),
    entities: z.array(Entity),
    media: z.array(MediaView),
    visibility: z.enum(['public', 'followers']),
    rootId: Id.nullable(),
    parentId: Id.nullable(),
    createdAt: z.iso.datetime(),
    likeCount: z.int(),
    commentCount: z.int(),
    liked: z.boolean().openapi({ description: 'Whether the viewer likes it' }),
  })
  .openapi('Post')
export type Post = z.infer<typeof Post>
export const PostPage = pageOf('Post', Post)

/** What is read of a post and of its author, the viewer's like with it. */
function columns(viewerId: Bound<Id> | null) {
  const liked = viewerId
    ? sql<number>`exists (select 1 from ${likes} where ${likes.postId} = ${posts.id} and ${likes.accountId} = ${sql.param(viewerId, likes.accountId)})`
    : sql<number>`0`
  return {
    authorId: posts.authorId,
    handle: accounts.handle,
    displayName: accounts.displayName,
    text: posts.text,
    entities: posts.entities,
    media: posts.media,
    visibility: posts.visibility,
    rootId: posts.rootId,
    parentId: posts.parentId,
    likeCount: posts.likeCount,
    commentCount: posts.commentCount,
    liked: liked.as('liked'),
  }
}

/** Those of some posts of `db` that the viewer may see, as rows for `showPost`; one statement. */
function selectPosts(db: Database, viewerId: Bound<Id> | null, which: SQL) {
  return db
    .select({ id: posts.id, ...columns(viewerId) })
    .from(posts)
    .innerJoin(accounts, eq(accounts.id, posts.authorId))
    .where(and(which, visibleTo(viewerId)))
}
type PostRow = Awaited<ReturnType<typeof selectPosts>>[number]

/** A query for the ids of posts, as a subquery. */
type Skeleton = Subquery<'found', { id: unknown }> & { id: SQLWrapper }

/**
 * What a skeleton finds, each id with the post itself where `db` holds it: one statement for `hydratePage`. A post that lies
 * on another shard, or that the viewer may not see, has no handle.
 */
export function hydrateOn(db: Database, viewerId: Bound<Id> | null, found: Skeleton) {
  return db
    .select({ id: sql<Id>`${found.id}`.mapWith(posts.id).as('found_id'), ...columns(viewerId) })
    .from(found)
    .leftJoin(posts, eq(posts.id, found.id))
    .leftJoin(accounts, and(eq(accounts.id, posts.authorId), visibleTo(viewerId)))
}
type FoundRow = Awaited<ReturnType<typeof hydrateOn>>[number]

const isShown = (row: FoundRow): row is PostRow => row.handle !== null

type Variant = { hasViewer: boolean }
const viewerOf = ({ hasViewer }: Variant) => (hasViewer ? sql.placeholder('viewerId') : null)

const preparedPost = prepared((db, variant: Variant) =>
  selectPosts(db, viewerOf(variant), eq(posts.id, sql.placeholder('id'))),
)
const preparedPosts = prepared((db, variant: Variant) =>
  hydrateOn(db, viewerOf(variant), idTable(db, sql.placeholder('ids'))),
)

/** The wire shape of a row. Where its media are private, their addresses are signed for this viewer. */
export async function showPost(ctx: Ctx, row: PostRow): Promise<Post> {
  const { id, authorId, handle, displayName, text, entities, media, visibility } = row
  const { rootId, parentId, likeCount, commentCount, liked } = row
  const isPublic = visibility === 'public' && rootId === null
  const shown = media.map(async (image) => ({ ...image, ...(await mediaUrls(ctx, image.id, isPublic)) }))
  return {
    id,
    author: { id: authorId, handle, displayName },
    text,
    entities,
    media: shown.length === 0 ? [] : await Promise.all(shown),
    visibility,
    rootId,
    parentId,
    createdAt: new Date(timeOf(id)).toISOString(),
    likeCount,
    commentCount,
    liked: Boolean(liked),
  }
}

type Roots = ReadonlySet<Id>

/**
 * The posts idIn `ids` that the viewer may see: one query per shard. Comments are left out unless their root is visible
 * too, which costs one wave more where it is not known yet (`visibleRoots`).
 */
export async function loadPosts(ctx: Ctx, ids: readonly Id[], visibleRoots?: Roots): Promise<Map<Id, Post>> {
  return showRows(ctx, await selectByShard(ctx, ids), visibleRoots)
}

/** The same of the rows that `hydrateOn` read on the shard `here`: only what lies elsewhere is still to be asked for. */
export async function hydratePage(
  ctx: Ctx,
  here: number,
  rows: readonly FoundRow[],
  visibleRoots?: Roots,
): Promise<Map<Id, Post>> {
  const elsewhere = rows.flatMap(({ id }) => (shardOf(id) === here ? [] : [id]))
  return showRows(ctx, [...rows.filter(isShown), ...(await selectByShard(ctx, elsewhere))], visibleRoots)
}

async function showRows(ctx: Ctx, rows: PostRow[], visibleRoots: Roots = new Set()): Promise<Map<Id, Post>> {
  const known = new Set([...visibleRoots, ...rows.filter((row) => row.rootId === null).map((row) => row.id)])
  const unknown = new Set(rows.flatMap((row) => (row.rootId && !known.has(row.rootId) ? [row.rootId] : [])))
  if (unknown.size > 0) for (const root of await selectByShard(ctx, unknown)) known.add(root.id)
  const visible = rows.filter((row) => row.rootId === null || known.has(row.rootId))
  const shown = await Promise.all(visible.map((row) => showPost(ctx, row)))
  return new Map(shown.map((post) => [post.id, post]))
}

function selectByShard(ctx: Ctx, ids: Iterable<Id>): Promise<PostRow[]> {
  const hasViewer = ctx.viewer !== null
  const viewerId = Number(ctx.viewer?.id)
  return fromShards(ctx.db, ids, async (db, mine) => {
    if (mine.length === 1) return preparedPost(db, { hasViewer }, { viewerId, id: Number(mine[0]) })
    return (await preparedPosts(db, { hasViewer }, { viewerId, ids: idList(mine) })).filter(isShown)
  })
}

/** Whether the viewer may see the post. */
export async function maySee(ctx: Ctx, postId: Id): Promise<boolean> {
  return (await loadPosts(ctx, [postId])).has(postId)
}
