import { z } from '@hono/zod-openapi'
import { and, eq } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { changed, refusals, valueIf } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { type Claim, idempotent, type Made } from '../../platform/data/idempotency.ts'
import { Id, shardOf } from '../../platform/data/ids.ts'
import { withFreshId } from '../../platform/data/shards.ts'
import { cleanText, requireLength } from '../../platform/data/text.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, invalid, notFound } from '../../platform/failures.ts'
import { quotaExceeded } from '../../platform/security/daily-quota.ts'
import { countPost, uncountPost } from '../accounts/statements.ts'
import { loadAccountSummaries } from '../accounts/views.ts'
import { listOwnPost, unlistPost } from '../feed/statements.ts'
import { accountIdsOf } from '../identity/queries.ts'
import { attachMedia, attachRefusals } from '../media/statements.ts'
import { loadAttachable } from '../media/views.ts'
import { entitiesOf, mentionedHandles, mentionedIn } from './entities.ts'
import { postDeleted, postPublished } from './events.ts'
import { isPublic } from './policy.ts'
import { MAX_IMAGES, MAX_TEXT_BYTES, postBounds } from './post-limits.ts'
import { type Span, scan } from './scan.ts'
import { copyChangedAlts } from './statements.ts'
import { posts } from './tables.ts'
import { postsPerDay } from './variables.ts'
import { loadPosts, type Post, type PostRow, presentPost, Visibility, visiblePosts } from './views.ts'

export const PostCreation = z
  .strictObject({
    text: z.string().default('').openapi({ maxLength: MAX_TEXT_BYTES, description: 'For its limits see `getLimits`' }),
    visibility: Visibility.optional().openapi({
      description: 'By default `public`. A comment always has the visibility of the post at the top of its thread',
    }),
    media: z
      .array(Id)
      .max(MAX_IMAGES)
      .default([])
      .openapi({ description: 'Uploaded images that are not attached to a post yet' }),
    parentId: Id.optional().openapi({ description: 'The post or comment that this comment replies to' }),
  })
  .openapi('PostCreation')
export type PostCreation = z.infer<typeof PostCreation>

/** Throws the same `not_found` for a hidden post and for one that never existed. */
export async function getPost(ctx: Ctx, { postId }: { postId: Id }): Promise<Post> {
  const post = (await loadPosts(ctx, [postId])).get(postId)
  if (!post) throw notFound()
  return post
}

export function createPost(ctx: UserCtx, input: PostCreation): Promise<Made<Post>> {
  return idempotent(
    ctx,
    'createPost',
    input,
    (claim) => publish(ctx, input, claim),
    (primary, postId) => getPost(primary, { postId }),
  )
}

async function publish(ctx: UserCtx, input: PostCreation, claim: Claim): Promise<Post> {
  const text = cleanedText(ctx, input.text)
  requireContent(text, input.media)
  const place = await placeOf(ctx, input)
  const spans = scan(text)
  const [mentioned, media] = await Promise.all([mentionable(ctx, spans), loadAttachable(ctx, input.media)])
  const authorId = ctx.viewer.id
  const content = {
    authorId,
    text,
    entities: entitiesOf(spans, mentioned),
    media,
    ...place,
  }
  const kind = { isComment: place.rootId !== null, isPublic: isPublic(place) }
  const db = ctx.db.shardOf(authorId)
  return withFreshId(ctx, shardOf(authorId), posts.id, async (id) => {
    const event = eventOf({ id, ...content })
    const [[author]] = await db
      .commit([
        countPost(db, authorId, { ...kind, mostPerDay: postsPerDay(ctx) }),
        // `changed` is false for a suspended account, whose access token may still work for two seconds.
        db.insert(posts).values({ id, ...content, authorId: valueIf(changed, authorId, 'suspended') }),
        listOwnPost(db, { id, authorId, ...kind }),
        ...claim(db, id),
        ...attachMedia(db, { postId: id, accountId: authorId, ids: input.media }),
        ...copyChangedAlts(db, id, media),
        record(db, postPublished, event),
      ])
      .catch(
        refusals({ suspended: () => new Failure('suspended'), post_quota: () => overQuota(ctx), ...attachRefusals }),
      )
    if (!author) throw new Error('the author was not returned')
    return presentPost(ctx, { id, ...content, ...author, likeCount: 0, commentCount: 0, editedAt: null, liked: false })
  })
}

export function overQuota(ctx: UserCtx): Failure {
  const most = postsPerDay(ctx)
  return quotaExceeded(ctx, 'posts', most, `create at most ${most} posts and comments`)
}

type Place = Pick<PostRow, 'visibility' | 'rootId' | 'parentId' | 'parentAuthorId'>

/** An account that may not read the root of a thread cannot reply in it, even to a comment that is addressed to it. */
async function placeOf(ctx: UserCtx, { parentId, visibility }: PostCreation): Promise<Place> {
  if (!parentId) return { visibility: visibility ?? 'public', rootId: null, parentId: null, parentAuthorId: null }
  const parent = (await visiblePosts(ctx, [parentId])).get(parentId)
  if (!parent) throw notFound()
  if (!parent.isThreadVisible) throw new Failure('forbidden', 'You may not read the post at the top of this thread')
  const audience = parent.visibility
  if (visibility && visibility !== audience) throw invalid('visibility', `must be that of the post: ${audience}`)
  return { visibility: audience, rootId: parent.rootId ?? parentId, parentId, parentAuthorId: parent.authorId }
}

function eventOf(post: Place & Pick<PostRow, 'id' | 'authorId' | 'entities'>) {
  const { id: postId, authorId, rootId, parentId, parentAuthorId, entities } = post
  return {
    postId,
    authorId,
    rootId,
    parentId,
    parentAuthorId,
    mentioned: mentionedIn(entities),
    isPublic: isPublic(post),
  }
}

/** Handles that the text had before keep their accounts: `before`. */
export async function mentionable(
  ctx: UserCtx,
  spans: readonly Span[],
  before: ReadonlyMap<string, Id> = new Map(),
): Promise<Map<string, Id>> {
  const handles = mentionedHandles(spans)
  const found = await accountIdsOf(
    ctx,
    handles.filter((handle) => !before.has(handle)),
  )
  const ids = new Map([...found, ...[...before].filter(([handle]) => handles.includes(handle))])
  const known = await loadAccountSummaries(ctx, [...ids.values()])
  return new Map([...ids].filter(([, id]) => known.has(id)))
}

export function cleanedText(ctx: UserCtx, typed: string): string {
  const text = cleanText('text', typed)
  requireLength('text', text, postBounds(ctx))
  return text
}

export function requireContent(text: string, media: readonly unknown[]): void {
  if (text === '' && media.length === 0) throw invalid('text', 'is required when there are no images')
}

export async function deletePost(ctx: UserCtx, { postId }: { postId: Id }): Promise<void> {
  const authorId = ctx.viewer.id
  const db = ctx.db.shardOf(postId)
  const own = and(eq(posts.id, postId), eq(posts.authorId, authorId))
  const [post] = await db.select().from(posts).where(own)
  if (!post) {
    await getPost(ctx, { postId })
    throw new Failure('forbidden', 'Only the author may delete a post')
  }
  await db.commit(deleting(db, post))
}

export function deleting(db: Database, post: typeof posts.$inferSelect) {
  const { id, authorId, rootId } = post
  return [
    db.delete(posts).where(and(eq(posts.id, id), eq(posts.authorId, authorId))),
    ...(rootId ? [] : [uncountPost(db, authorId, { isPublic: isPublic(post) })]),
    record(db, postDeleted, eventOf(post), changed),
    unlistPost(db, { id, authorId }),
  ] as const
}
