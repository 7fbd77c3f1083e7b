import { z } from '@hono/zod-openapi'
import { eq } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { changed, refusals, valueIf } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, notFound } from '../../platform/failures.ts'
import { requireStaffWrite } from '../../platform/security/admit.ts'
import { authorize } from '../../platform/security/authorize.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { moderate } from '../accounts/policy.ts'
import { countPost } from '../accounts/statements.ts'
import { accountsByHandle, type Entity, entitiesOf, mentionedIn } from './entities.ts'
import { postEdited, postEditedByOther } from './events.ts'
import { editPosts } from './policy.ts'
import { MAX_TEXT_BYTES } from './post-limits.ts'
import { cleanedText, mentionable, overQuota, requireContent } from './posts.ts'
import { scan } from './scan.ts'
import { posts } from './tables.ts'
import { postsPerDay } from './variables.ts'
import { type Post, type PostRow, presentPost, visiblePosts } from './views.ts'

export const PostChange = z
  .strictObject({
    text: z.string().openapi({ maxLength: MAX_TEXT_BYTES, description: 'For its limits see `getLimits`' }),
  })
  .openapi('PostChange')

type Mentioning = Pick<PostRow, 'authorId' | 'entities'>

/**
 * Edits a post that the caller can see: an own one, or any one that `posts:edit` allows. The author stays. Others can
 * mention nobody new, because who is mentioned may read the post.
 */
export async function editPost(ctx: UserCtx, { postId, text: typed }: { postId: Id; text: string }): Promise<Post> {
  const text = cleanedText(ctx, typed)
  const post = (await visiblePosts(ctx, [postId])).get(postId)
  if (!post) throw notFound()
  const { by } = await authorize(ctx, editPosts, { kind: 'post', id: postId, ownerId: post.authorId })
  const isOwn = post.authorId === ctx.viewer.id
  if (!isOwn) await requireStaffWrite(ctx, moderate)
  requireContent(text, post.media)
  if (text === post.text) return presentPost(ctx, post)
  const edit = { text, entities: await editedEntities(ctx, post, text), editedAt: ctx.now() }
  if (!(await store(ctx, post, edit, isOwn ? null : `${by?.kind} ${by?.name}`))) throw notFound()
  return presentPost(ctx, { ...post, ...edit })
}

async function editedEntities(ctx: UserCtx, post: Mentioning, text: string): Promise<Entity[]> {
  const before = accountsByHandle(post.entities)
  const spans = scan(text)
  return entitiesOf(spans, post.authorId === ctx.viewer.id ? await mentionable(ctx, spans, before) : before)
}

type Edit = Pick<PostRow, 'text' | 'entities' | 'editedAt'>

/** Returns whether the post still exists. `by` says what allowed an edit by somebody else. */
async function store(ctx: UserCtx, post: PostRow, edit: Edit, by: string | null): Promise<boolean> {
  const { id: postId, authorId, parentAuthorId } = post
  const mentions = newMentions(post, edit)
  const db = ctx.db.shardOf(postId)
  const text = valueIf(eq(posts.text, post.text), edit.text, 'edited_meanwhile')
  const act = by === null ? null : { accountId: authorId, postId, by, ...(await actorOf(ctx)) }
  const counted = { isComment: true, isPublic: false, mostPerDay: postsPerDay(ctx) } // a comment changes no other count
  const [edited] = await db
    .commit([
      db
        .update(posts)
        .set({ ...edit, text })
        .where(eq(posts.id, postId))
        .returning({ id: posts.id }),
      record(db, postEdited, { postId, authorId, parentAuthorId, ...mentions }, changed),
      ...(act ? [record(db, postEditedByOther, act, changed)] : []),
      ...(mentions.added.length > 0 ? [countPost(db, authorId, counted)] : []),
    ])
    .catch(
      refusals({
        edited_meanwhile: () => new Failure('conflict', 'The post was edited meanwhile'),
        post_quota: () => overQuota(ctx),
      }),
    )
  return edited.length > 0
}

function newMentions(before: Mentioning, after: Pick<Mentioning, 'entities'>): { added: Id[]; removed: Id[] } {
  const [old, current] = [mentionedIn(before.entities), mentionedIn(after.entities)]
  const of = (ids: Id[], others: Id[]) => ids.filter((id) => id !== before.authorId && !others.includes(id))
  return { added: of(current, old), removed: of(old, current) }
}
