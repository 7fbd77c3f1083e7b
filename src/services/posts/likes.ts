import { and, eq, sql } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { blocks } from '../accounts/tables.ts'
import { postLiked } from './events.ts'
import { getPost } from './posts.ts'
import { likes, posts } from './tables.ts'
import type { Post } from './views.ts'

/** Likes a post. Liking it again counts nothing: `changes()` is 0, and the like and the event are skipped with it. */
export async function likePost(ctx: UserCtx, { postId }: { postId: Id }): Promise<Post> {
  const post = await getPost(ctx, { postId })
  const db = ctx.db.shardOf(postId)
  const changed = sql`changes() > 0`
  const viewer = Number(ctx.viewer.id)
  const liked = sql`exists (select 1 from ${likes} where ${likes.postId} = ${Number(postId)} and ${likes.accountId} = ${viewer})`
  const blocked = sql`exists (select 1 from ${blocks} where ${blocks.accountId} = ${Number(post.author.id)} and ${blocks.otherId} = ${viewer})`
  // The count comes first, for it is there as long as the post is: a like that came too late would stay without one.
  const [counted] = await db.batch([
    db
      .update(posts)
      .set({ likeCount: sql`like_count + 1` })
      .where(and(eq(posts.id, postId), sql`not ${liked} and not ${blocked}`))
      .returning({ likeCount: posts.likeCount }),
    db.insert(likes).select(sql`select ${Number(postId)}, ${viewer} where ${changed}`),
    record(db, postLiked, { postId, authorId: post.author.id, actorId: ctx.viewer.id }, changed),
  ])
  // Liked meanwhile by another request; or blocked or deleted, which it then says.
  if (counted.length === 0 && !post.liked) return getPost(ctx, { postId })
  return { ...post, liked: true, likeCount: counted[0]?.likeCount ?? post.likeCount }
}

/** Takes a like back; where there is none, nothing changes. */
export async function unlikePost(ctx: UserCtx, { postId }: { postId: Id }): Promise<Post> {
  const post = await getPost(ctx, { postId })
  const db = ctx.db.shardOf(postId)
  const [, counted] = await db.batch([
    db.delete(likes).where(and(eq(likes.postId, postId), eq(likes.accountId, ctx.viewer.id))),
    db
      .update(posts)
      .set({ likeCount: sql`like_count - 1` })
      .where(and(eq(posts.id, postId), sql`changes() > 0`))
      .returning({ likeCount: posts.likeCount }),
  ])
  return { ...post, liked: false, likeCount: counted[0]?.likeCount ?? post.likeCount }
}
