import { and, eq, exists, not } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { all, changed, increment, one, query, rowIf } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { blockBetween } from '../accounts/policy.ts'
import { postLiked } from './events.ts'
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
      .where(all(eq(posts.id, postId), not(liked(like)), not(blockBetween(post.author.id, ctx.viewer.id))))
      .returning({ likeCount: posts.likeCount }),
    db.insert(likes).select(rowIf(likes, like, changed)),
    record(db, postLiked, { postId, authorId: post.author.id, actorId: ctx.viewer.id }, changed),
  ])
  // Since the first read, the viewer liked the post in another request, or the post was deleted, or a block was added.
  if (counted.length === 0 && !post.liked) return getPost(ctx, { postId })
  return { ...post, liked: true, likeCount: counted[0]?.likeCount ?? post.likeCount }
}

export async function unlikePost(ctx: UserCtx, { postId }: { postId: Id }): Promise<Post> {
  const post = await getPost(ctx, { postId })
  const db = ctx.db.shardOf(postId)
  const [, counted] = await db.batch([
    db.delete(likes).where(and(eq(likes.postId, postId), eq(likes.accountId, ctx.viewer.id))),
    db
      .update(posts)
      .set({ likeCount: increment(posts.likeCount, -1) })
      .where(and(eq(posts.id, postId), changed))
      .returning({ likeCount: posts.likeCount }),
  ])
  return { ...post, liked: false, likeCount: counted[0]?.likeCount ?? post.likeCount }
}

function liked({ postId, accountId }: { postId: Id; accountId: Id }) {
  const own = and(eq(likes.postId, postId), eq(likes.accountId, accountId))
  return exists(query.select(one).from(likes).where(own))
}
