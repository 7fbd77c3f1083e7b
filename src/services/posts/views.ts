import { z } from '@hono/zod-openapi'
import { and, eq, type SQL, sql } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { amongListed, type Bound, type Database, fromShards, listOf } from '../../platform/db.ts'
import { Id, timeOf } from '../../platform/ids.ts'
import { pageOf } from '../../platform/page.ts'
import { prepared } from '../../platform/prepared.ts'
import { accounts } from '../accounts/tables.ts'
import { AccountRef } from '../accounts/views.ts'
import { MediaView, mediaUrls } from '../media/views.ts'
import { Entity } from './entities.ts'
import { visibleTo } from './policy.ts'
import { likes, posts } from './tables.ts'

export const Post = z
  .object({
    id: Id,
    author: AccountRef,
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

/** Those of some posts of `db` that the viewer may see, as rows for `showPost`; one statement. */
export function selectPosts(db: Database, viewerId: Bound<Id> | null, which: SQL) {
  const liked = viewerId
    ? sql<number>`exists (select 1 from ${likes} where ${likes.postId} = ${posts.id} and ${likes.accountId} = ${sql.param(viewerId, likes.accountId)})`
    : sql<number>`0`
  return db
    .select({
      id: posts.id,
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
    })
    .from(posts)
    .innerJoin(accounts, eq(accounts.id, posts.authorId))
    .where(and(which, visibleTo(viewerId)))
}
type PostRow = Awaited<ReturnType<typeof selectPosts>>[number]

const preparedPosts = prepared((db, { hasViewer, isOne }: { hasViewer: boolean; isOne: boolean }) => {
  const ids = sql.placeholder('ids')
  const which = isOne ? eq(posts.id, ids) : amongListed(posts.id, ids)
  return selectPosts(db, hasViewer ? sql.placeholder('viewerId') : null, which)
})

/** The wire shape of a row. Where its media are private, their addresses are signed for this viewer. */
export async function showPost(ctx: Ctx, row: PostRow): Promise<Post> {
  const { authorId, handle, displayName, liked, media, ...rest } = row
  const isPublic = row.visibility === 'public' && row.rootId === null
  const shown = media.map(async (image) => ({ ...image, ...(await mediaUrls(ctx, image.id, isPublic)) }))
  return {
    ...rest,
    author: { id: authorId, handle, displayName },
    media: await Promise.all(shown),
    createdAt: new Date(timeOf(row.id)).toISOString(),
    liked: Boolean(liked),
  }
}

/**
 * The posts among `ids` that the viewer may see: one query per shard. Comments are left out unless their root is visible
 * too, which costs one wave more where it is not known yet (`visibleRoots`).
 */
export async function loadPosts(
  ctx: Ctx,
  ids: readonly Id[],
  visibleRoots: ReadonlySet<Id> = new Set(),
): Promise<Map<Id, Post>> {
  const rows = await selectByShard(ctx, ids)
  const known = new Set([...visibleRoots, ...rows.filter((row) => row.rootId === null).map((row) => row.id)])
  const unknown = new Set(rows.flatMap((row) => (row.rootId && !known.has(row.rootId) ? [row.rootId] : [])))
  if (unknown.size > 0) for (const root of await selectByShard(ctx, unknown)) known.add(root.id)
  const visible = rows.filter((row) => row.rootId === null || known.has(row.rootId))
  return new Map(await Promise.all(visible.map(async (row) => [row.id, await showPost(ctx, row)] as const)))
}

function selectByShard(ctx: Ctx, ids: Iterable<Id>): Promise<PostRow[]> {
  const viewerId = ctx.viewer?.id
  return fromShards(ctx.db, ids, (db, mine) => {
    const isOne = mine.length === 1
    const values = { viewerId: Number(viewerId ?? 0), ids: isOne ? Number(mine[0]) : listOf(mine) }
    return preparedPosts(db, { hasViewer: viewerId !== undefined, isOne }, values)
  })
}

/** Whether the viewer may see the post. */
export async function maySee(ctx: Ctx, postId: Id): Promise<boolean> {
  return (await loadPosts(ctx, [postId])).has(postId)
}
