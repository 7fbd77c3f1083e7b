import { z } from '@hono/zod-openapi'
import { and, eq, sql } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { withFreshId } from '../../platform/data/databases.ts'
import { type Claim, idempotent } from '../../platform/data/idempotency.ts'
import { Id, shardOf } from '../../platform/data/ids.ts'
import { cleanText, requireLength } from '../../platform/data/text.ts'
import { record } from '../../platform/events/events.ts'
import { constraintOf, Failure, invalid, notFound } from '../../platform/http/errors.ts'
import { addTo, countPost } from '../accounts/statements.ts'
import { loadAccountSummaries } from '../accounts/views.ts'
import { indexPost, unindexPost } from '../feed/statements.ts'
import { accountIdsOf } from '../identity/views.ts'
import { attachMedia, refuseAttached } from '../media/statements.ts'
import { loadAttachable } from '../media/views.ts'
import { entitiesOf, mentionedHandles } from './entities.ts'
import { postDeleted, postPublished } from './events.ts'
import { MAX_IMAGES } from './limits.ts'
import { likes, posts, threadIndex } from './tables.ts'
import { loadPosts, type Post, showPost } from './views.ts'

const MAX_STORED_LENGTH = 40_000

export const NewPost = z
  .strictObject({
    text: z.string().max(MAX_STORED_LENGTH).default(''),
    visibility: z.enum(['public', 'followers']).default('public'),
    media: z
      .array(Id)
      .max(MAX_IMAGES)
      .default([])
      .openapi({ description: 'Uploaded images that no post has taken yet' }),
    parentId: Id.optional().openapi({ description: 'The post or comment that this comments on' }),
  })
  .openapi('NewPost')
export type NewPost = z.infer<typeof NewPost>

/** The post, if the viewer may see it; otherwise the same `not_found` as for one that never was. */
export async function getPost(ctx: Ctx, { postId }: { postId: Id }): Promise<Post> {
  const post = (await loadPosts(ctx, [postId])).get(postId)
  if (!post) throw notFound()
  return post
}

/** Publishes a post or a comment; a repeat with the same Idempotency-Key answers with the first. */
export function createPost(ctx: UserCtx, input: NewPost): Promise<{ value: Post; replayed: boolean }> {
  return idempotent(
    ctx,
    'createPost',
    input,
    (claim) => publish(ctx, input, claim),
    (primary, postId) => getPost(primary, { postId }),
  )
}

async function publish(ctx: UserCtx, input: NewPost, claim: Claim): Promise<Post> {
  const text = checkedText(ctx, input)
  const parent = input.parentId ? await getPost(ctx, { postId: input.parentId }) : null
  const [mentioned, media] = await Promise.all([mentionable(ctx, text), loadAttachable(ctx, input.media)])
  const authorId = ctx.viewer.id
  const isComment = parent !== null
  const content = {
    authorId,
    text,
    entities: entitiesOf(text, mentioned),
    media,
    visibility: input.visibility,
    rootId: parent && (parent.rootId ?? parent.id),
    parentId: parent?.id ?? null,
  }
  const db = ctx.db.shardOf(authorId)
  return withFreshId(ctx, shardOf(authorId), 'posts.id', async (id) => {
    const [[author]] = await db
      .batch([
        countPost(db, authorId, { isComment }),
        db.insert(posts).values({ id, ...content, authorId: ifCounted(authorId) }),
        indexPost(db, { id, authorId, isComment }),
        ...claim(db, id),
        ...attachMedia(db, { postId: id, accountId: authorId, ids: input.media }),
        record(db, postPublished, { postId: id, authorId }),
      ])
      .catch(refuseSuspended)
      .catch(refuseAttached)
    return showPost(ctx, { id, ...content, ...author!, likeCount: 0, commentCount: 0, liked: 0 })
  })
}

/** The accounts that a text mentions by handle: those that the author may know of. */
async function mentionable(ctx: UserCtx, text: string): Promise<Map<string, Id>> {
  const ids = await accountIdsOf(ctx, mentionedHandles(text))
  const known = await loadAccountSummaries(ctx, [...ids.values()])
  return new Map([...ids].filter(([, id]) => known.has(id)))
}

/** The author's id, or nothing, on which the batch fails: a token outlives a suspension by up to two seconds. */
function ifCounted(authorId: Id) {
  return sql<Id>`iif(changes() > 0, ${Number(authorId)}, null)`
}

function refuseSuspended(error: unknown): never {
  throw constraintOf(error) === 'posts.author_id' ? new Failure('suspended') : error
}

/** The text as it is kept, and no longer than `POST_MAX_LENGTH` graphemes. */
function checkedText(ctx: UserCtx, input: NewPost): string {
  const text = cleanText('text', input.text)
  if (text === '' && input.media.length === 0) throw invalid('text', 'is needed where there are no images')
  requireLength('text', text, ctx.config.POST_MAX_LENGTH)
  return text
}

/** Deletes the viewer's own post, wherever it hangs, with its place in every list, its likes and its images. */
export async function deletePost(ctx: UserCtx, { postId }: { postId: Id }): Promise<void> {
  const authorId = ctx.viewer.id
  const db = ctx.db.shardOf(postId)
  const mine = and(eq(posts.id, postId), eq(posts.authorId, authorId))
  const [post] = await db.select({ rootId: posts.rootId, parentId: posts.parentId }).from(posts).where(mine)
  if (!post) {
    await getPost(ctx, { postId })
    throw new Failure('forbidden', 'This post is somebody else’s')
  }
  await db.batch([
    db.delete(posts).where(mine),
    ...(post.parentId ? [] : [addTo(db, authorId, 'postCount', -1)]),
    record(db, postDeleted, { postId, authorId, ...post }, sql`changes() > 0`),
    unindexPost(db, { id: postId, authorId }),
    db.delete(threadIndex).where(eq(threadIndex.threadId, postId)),
    db.delete(likes).where(eq(likes.postId, postId)),
  ])
}
