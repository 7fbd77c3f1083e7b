import { z } from '@hono/zod-openapi'
import { and, eq } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, notFound } from '../../platform/failures.ts'
import { authorize } from '../../platform/security/authorize.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { entitiesOf, mentionedIn } from './entities.ts'
import { postEdited, postEditedByOther } from './events.ts'
import { editPosts } from './policy.ts'
import { MAX_TEXT_BYTES } from './post-limits.ts'
import { checkedText, getPost, mentionable } from './posts.ts'
import { scan } from './scan.ts'
import { posts } from './tables.ts'
import { type Post, type PostRow, presentPost, visiblePosts } from './views.ts'

export const PostChange = z
  .strictObject({
    text: z.string().openapi({ maxLength: MAX_TEXT_BYTES, description: 'For its limits see `getLimits`' }),
  })
  .openapi('PostChange')

/** Edits a post that the caller can see: an own one, or any one that `posts:edit` allows. The author stays. */
export async function editPost(ctx: UserCtx, { postId, text: typed }: { postId: Id; text: string }): Promise<Post> {
  const post = (await visiblePosts(ctx, [postId])).get(postId)
  if (!post) throw notFound()
  const { by } = await authorize(ctx, editPosts, { kind: 'post', id: postId, ownerId: post.authorId })
  const text = checkedText(ctx, { text: typed, media: post.media })
  if (text === post.text) return presentPost(ctx, post)
  const spans = scan(text)
  const edit = { text, entities: entitiesOf(spans, await mentionable(ctx, spans)), editedAt: ctx.now() }
  const db = ctx.db.shardOf(postId)
  const { authorId, parentAuthorId } = post
  const act = { accountId: authorId, postId, by: `${by?.kind} ${by?.name}`, ...(await actorOf(ctx)) }
  const [edited] = await db.commit([
    db
      .update(posts)
      .set(edit)
      .where(and(eq(posts.id, postId), eq(posts.text, post.text)))
      .returning({ id: posts.id }),
    record(db, postEdited, { postId, authorId, parentAuthorId, ...newMentions(post, edit) }, changed),
    ...(authorId === ctx.viewer.id ? [] : [record(db, postEditedByOther, act, changed)]),
  ])
  if (edited.length > 0) return presentPost(ctx, { ...post, ...edit })
  await getPost(ctx, { postId })
  throw new Failure('conflict', 'The post was edited meanwhile')
}

type Mentioning = Pick<PostRow, 'entities'>

function newMentions(before: Mentioning, after: Mentioning): { added: Id[]; removed: Id[] } {
  const [old, current] = [mentionedIn(before.entities), mentionedIn(after.entities)]
  return { added: current.filter((id) => !old.includes(id)), removed: old.filter((id) => !current.includes(id)) }
}
