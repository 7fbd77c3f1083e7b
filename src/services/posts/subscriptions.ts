import { continueWith, on, record } from '../../platform/events/events.ts'
import { accountHidden, accountShown } from '../accounts/events.ts'
import {
  likersToList,
  likesDeleted,
  listsToMark,
  postDeleted,
  postLiked,
  postPublished,
  postUnliked,
  threadToDelete,
} from './events.ts'
import { markLists, startMarking } from './hiding.ts'
import { continueDeletingLikes, deleteLikes, listLikers, mirrorLike } from './like-mirrors.ts'
import { deleteThread, syncThreads } from './threads.ts'

export const postSubscriptions = [
  on(postPublished, 'index-comment', syncThreads),
  on(postDeleted, 'unindex-comment', syncThreads),
  on(postDeleted, 'delete-thread', (ctx, { postId }) =>
    deleteThread(ctx, postId, (db) => db.commit([record(db, threadToDelete, { postId })])),
  ),
  on(threadToDelete, 'delete-thread', (ctx, { postId }, id) =>
    deleteThread(ctx, postId, (db) => continueWith(db, id, threadToDelete, { postId })),
  ),
  on(postDeleted, 'delete-likes', deleteLikes),
  on(likesDeleted, 'unlist-likes', continueDeletingLikes),
  on(postLiked, 'mirror-like', (ctx, { postId, actorId }, id) => mirrorLike(ctx, { postId, actorId, likeId: id }, id)),
  on(postUnliked, 'mirror-like', (ctx, unlike) => mirrorLike(ctx, unlike, null)),
  on(likersToList, 'list-likers', listLikers),
  on(accountHidden, 'mark-lists', startMarking),
  on(accountShown, 'mark-lists', startMarking),
  on(listsToMark, 'mark-lists', markLists),
]
