import { and, asc, eq, gt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { type Id, isoTimeOf } from '../../platform/data/ids.ts'
import { classify, type ExportEntry, jsonList, type PersonalData, pagesOf } from '../../platform/personal-data.ts'
import { lanes } from '../feed/tables.ts'
import { erasePosts } from './erasure.ts'
import { exportedPosts } from './queries.ts'
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
      editedAt: 'exported',
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
  yield jsonList('posts.json', exportedPosts(ctx, accountId, lanes.posts))
  yield jsonList('comments.json', exportedPosts(ctx, accountId, lanes.comments))
  yield jsonList('likes.json', ownLikes(ctx, accountId))
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
