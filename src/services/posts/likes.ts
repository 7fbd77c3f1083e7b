import { and, eq, not } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { all, changed, increment, rowIf } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { blockBetween } from '../accounts/policy.ts'
import { postLiked, postUnliked } from './events.ts'
import { isLikedBy } from './policy.ts'
import { getPost } from './posts.ts'
import { likes, posts } from './tables.ts'
import type { Post } from './views.ts'

export async function likePost(ctx: UserCtx, { postId }: { postId: Id }): Promise<Post> {
  const post = await getPost(ctx, { postId })
  const like = { postId, accountId: ctx.viewer.id }
  const db = ctx.db.shardOf(postId)
  // Count first: this update matches only while the post exists, so a like of a deleted post inserts nothing.
  const [counted] = await db.commit([
    db
      .update(posts)
      .set({ likeCount: increment(posts.likeCount) })
      .where(
        all(
          eq(posts.id, postId),
          not(isLikedBy(postId, like.accountId)),
          not(blockBetween(post.author.id, ctx.viewer.id)),
        ),
      )
      .returning({ likeCount: posts.likeCount }),
    db.insert(likes).select(rowIf(likes, like, changed)),
    record(db, postLiked, { postId, authorId: post.author.id, actorId: ctx.viewer.id }, changed),
  ])
  // Since the first read, the viewer liked the post in another request, or the post was deleted, or a block was added.
  if (counted.length === 0 && !post.liked) return getPost(ctx, { postId })
  return { ...post, liked: true, likeCount: counted[0]?.likeCount ?? post.likeCount }
}

/** Does not read the post: undoing your own action never requires visibility, and the answer is always the same. */
export async function unlikePost(ctx: UserCtx, { postId }: { postId: Id }): Promise<void> {
  const actorId = ctx.viewer.id
  const db = ctx.db.shardOf(postId)
  await db.commit([
    db.delete(likes).where(and(eq(likes.postId, postId), eq(likes.accountId, actorId))),
    record(db, postUnliked, { postId, actorId }, changed),
    db
      .update(posts)
      .set({ likeCount: increment(posts.likeCount, -1) })
      .where(and(eq(posts.id, postId), changed)),
  ])
}
