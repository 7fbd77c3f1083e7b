import { z } from '@hono/zod-openapi'
import { and, eq, exists, inArray, isNull, not, type SQL } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { all, query as builder, changed, either, increment, one, rowIf } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { Id, isoTimeOf, shardOf } from '../../platform/data/ids.ts'
import { loadPage, type Page, type PageQuery, pageOf, seek } from '../../platform/data/page.ts'
import { record, recordedId } from '../../platform/events/events.ts'
import { blockBetween, isHidden } from '../accounts/policy.ts'
import { accounts } from '../accounts/tables.ts'
import { type Account, loadListedAccounts } from '../accounts/views.ts'
import { toldOfLike, withdrawLike } from '../notifications/statements.ts'
import { postLiked, postUnliked } from './events.ts'
import { listLike, unlistLike } from './like-mirrors.ts'
import { hasLikers, isLikedBy, visibleTo } from './policy.ts'
import { getPost } from './posts.ts'
import { likedPosts, likes, postLikers, posts } from './tables.ts'
import { loadPosts, Post } from './views.ts'

export const Like = z
  .object({
    id: Id.openapi({ description: 'The id of the post' }),
    post: Post.nullable().openapi({ description: 'Null when the viewer may no longer see the post' }),
    likedAt: z.iso.datetime(),
  })
  .openapi('Like', { example: { id: '1970324936974593' } })
type Like = z.infer<typeof Like>
export const LikePage = pageOf('Like', Like)

type PostPath = { postId: Id }

export async function likePost(ctx: UserCtx, { postId }: PostPath): Promise<Post> {
  // A comment also needs its root, which may be on another shard, so it is read first.
  const isRoot = all(isNull(posts.rootId), exists(readableBy(ctx.viewer.id)))
  const [post, counted] = await Promise.all([getPost(ctx, { postId }), addLike(ctx, postId, isRoot)])
  const isComment = post.rootId !== null && !post.liked
  const likeCount = isComment ? await addLike(ctx, postId, not(blockBetween(post.author.id, ctx.viewer.id))) : counted
  // Nothing was counted: since the read, another request liked the post, or it was deleted, or a block was added.
  if (likeCount === null && !post.liked) return getPost(ctx, { postId })
  return { ...post, liked: true, likeCount: likeCount ?? post.likeCount }
}

const readableBy = (viewerId: Id) =>
  builder
    .select(one)
    .from(accounts)
    .where(and(eq(accounts.id, posts.authorId), visibleTo(viewerId)))

/** Returns the new count of likes; null if the viewer likes the post already, or `may` does not hold. */
async function addLike(ctx: UserCtx, postId: Id, may: SQL): Promise<number | null> {
  const actorId = ctx.viewer.id
  const like = { postId, accountId: actorId, id: recordedId, hidden: false }
  const db = ctx.db.shardOf(postId)
  const author = builder.select({ id: posts.authorId }).from(posts).where(eq(posts.id, postId))
  const isShown = shardOf(postId) === shardOf(actorId) ? [not(isHidden(actorId))] : []
  // Count first: this update matches only while the post exists, so a like of a deleted post inserts nothing.
  const [[counted]] = await db.commit([
    db
      .update(posts)
      .set({ likeCount: increment(posts.likeCount) })
      .where(all(eq(posts.id, postId), not(isLikedBy(postId, actorId)), may, ...isShown))
      .returning({ likeCount: posts.likeCount }),
    record(db, postLiked, { postId, authorId: actorId, actorId }, changed, { authorId: author }),
    db.insert(likes).select(rowIf(likes, like, changed)),
    ...listLike(db, { postId, actorId }),
  ])
  return counted?.likeCount ?? null
}

/** Does not read the post: undoing your own action never requires visibility, and the answer is always the same. */
export async function unlikePost(ctx: UserCtx, { postId }: PostPath): Promise<void> {
  const db = ctx.db.shardOf(postId)
  await db.commit(unliking(db, { postId, actorId: ctx.viewer.id }, true))
}

/** The likes of a deleted post are left to the event of its deletion. */
export function unliking(db: Database, { postId, actorId }: { postId: Id; actorId: Id }, isRemembered: boolean) {
  const own = and(eq(likes.postId, postId), eq(likes.accountId, actorId))
  const [likeId, likedId] = [likes.id, likes.postId].map((id) => builder.select({ id }).from(likes).where(own))
  const isThere = exists(builder.select(one).from(posts).where(inArray(posts.id, likedId!)))
  return [
    record(db, postUnliked, { postId, actorId }, isThere, { likeId: likeId!, toldId: toldOfLike({ postId, actorId }) }),
    ...unlistLike(db, { postId, actorId }, isThere),
    ...withdrawLike(db, { postId, actorId }, isRemembered),
    db.delete(likes).where(and(own, eq(likes.hidden, false), isThere)),
    db
      .update(posts)
      .set({ likeCount: increment(posts.likeCount, -1) })
      .where(and(eq(posts.id, postId), changed)),
    db.delete(likes).where(and(own, isThere)),
  ] as const
}

export async function listLikes(ctx: Ctx, { postId, ...query }: PostPath & PageQuery): Promise<Page<Account>> {
  const name = `likes of ${postId}`
  const db = ctx.db.shardOf(postId)
  const [from, few] = [await seek(ctx, query, name, postLikers.id), await seek(ctx, query, name, likes.id)]
  const [listed, sorted] = await Promise.all([
    db
      .select({ id: postLikers.id, accountId: postLikers.accountId })
      .from(postLikers)
      .where(and(eq(postLikers.postId, postId), from.where))
      .orderBy(from.order(postLikers.id))
      .limit(from.limit),
    db
      .select({ id: likes.id, accountId: likes.accountId })
      .from(likes)
      // A condition on the key, so that the likes of a post with many likes are not read.
      .where(and(eq(likes.postId, either(hasLikers(postId), null, Number(postId))), few.where))
      .orderBy(few.order(likes.id))
      .limit(few.limit),
    getPost(ctx, { postId }),
  ])
  return loadPage(ctx, from, [...listed, ...sorted], (kept) => loadListedAccounts(ctx, kept))
}

export async function listMyLikes(ctx: UserCtx, query: PageQuery): Promise<Page<Like>> {
  const accountId = ctx.viewer.id
  const from = await seek(ctx, query, `likes by ${accountId}`, likedPosts.id)
  const rows = await ctx.db
    .shardOf(accountId)
    .select({ id: likedPosts.id, postId: likedPosts.postId })
    .from(likedPosts)
    .where(and(eq(likedPosts.accountId, accountId), from.where))
    .orderBy(from.order(likedPosts.id))
    .limit(from.limit)
  return loadPage(ctx, from, rows, async (kept) => {
    const postIds = kept.map(({ postId }) => postId)
    const visible = await loadPosts(ctx, postIds)
    const view = (row: { id: Id; postId: Id }): Like => ({
      id: row.postId,
      post: visible.get(row.postId) ?? null,
      likedAt: isoTimeOf(row.id),
    })
    return new Map(kept.map((row) => [row.id, view(row)]))
  })
}
