import { and, asc, eq, gt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { type Id, isoTimeOf } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { classify, type ExportEntry, jsonList, type PersonalData, pagesOf } from '../../platform/personal-data.ts'
import { feedIndex, lanes } from '../feed/tables.ts'
import { erasePosts } from './erasure.ts'
import { likedPosts, likes, postLikers, posts, threadIndex } from './tables.ts'

export const postData: PersonalData = {
  inventory: {
    ...classify(posts, {
      id: 'exported',
      authorId: 'owner',
      text: 'exported',
      entities: 'exported',
      media: 'exported',
      visibility: 'exported',
      rootId: 'exported',
      parentId: 'exported',
      parentAuthorId: 'others',
      likeCount: 'exported',
      commentCount: 'exported',
    }),
    ...classify(likes, { postId: 'technical', accountId: 'owner', id: 'technical', hidden: 'technical' }),
    ...classify(postLikers, { postId: 'technical', id: 'technical', accountId: 'owner' }),
    ...classify(likedPosts, { accountId: 'owner', id: 'exported', postId: 'exported' }),
    ...classify(threadIndex, { threadId: 'technical', postId: 'technical', hidden: 'technical' }),
  },
  exported,
  erase: erasePosts,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  yield jsonList('posts.json', ownPosts(ctx, accountId, lanes.posts))
  yield jsonList('comments.json', ownPosts(ctx, accountId, lanes.comments))
  yield jsonList('likes.json', ownLikes(ctx, accountId))
}

async function* ownPosts(ctx: SystemCtx, accountId: Id, lane: number) {
  const db = ctx.db.shardOf(accountId)
  const skeleton = pagesOf((after, limit) =>
    db
      .select({ id: feedIndex.postId })
      .from(feedIndex)
      .where(and(eq(feedIndex.authorId, accountId), eq(feedIndex.lane, lane), gt(feedIndex.postId, after)))
      .orderBy(asc(feedIndex.postId))
      .limit(limit),
  )
  for await (const page of skeleton) {
    const ids = page.map(({ id }) => id)
    const rows = await db.select().from(posts).where(idIn(posts.id, ids)).orderBy(asc(posts.id))
    yield rows.map(({ authorId: _, parentAuthorId: __, media, ...post }) => ({
      ...post,
      media: media.map(({ placeholder: _, ...image }) => image),
      createdAt: isoTimeOf(post.id),
    }))
  }
}

async function* ownLikes(ctx: SystemCtx, accountId: Id) {
  const read = (after: Id, limit: number) =>
    ctx.db
      .shardOf(accountId)
      .select({ id: likedPosts.id, postId: likedPosts.postId })
      .from(likedPosts)
      .where(and(eq(likedPosts.accountId, accountId), gt(likedPosts.id, after)))
      .orderBy(asc(likedPosts.id))
      .limit(limit)
  for await (const rows of pagesOf(read)) yield rows.map((like) => ({ ...like, likedAt: isoTimeOf(like.id) }))
}
