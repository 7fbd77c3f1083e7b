import { on, onBatch } from '../../platform/events/events.ts'
import { accountChanged, accountHidden, accountRenamed, accountShown } from '../accounts/events.ts'
import { postDeleted, postEdited, postLiked, postPublished, postUnliked } from '../posts/events.ts'
import { postsToIndex } from './events.ts'
import { continueIndexing, indexAccount, indexPosts, indexPublished, startIndexing, unindexPost } from './indexing.ts'
import { voteLiked, withdrawLike, withdrawVotes } from './votes.ts'

export const searchSubscriptions = [
  onBatch(postPublished, 'index-posts', indexPublished),
  onBatch(postLiked, 'vote', voteLiked),
  on(postUnliked, 'withdraw-vote', withdrawLike),
  on(accountHidden, 'withdraw-votes', withdrawVotes),
  on(postEdited, 'index-post', async (ctx, { postId }) => void (await indexPosts(ctx, [postId]))),
  on(postDeleted, 'unindex-post', unindexPost),
  on(accountChanged, 'index-account', indexAccount),
  ...[accountHidden, accountShown, accountRenamed].flatMap((event) => [
    on(event, 'index-account', indexAccount),
    on(event, 'index-posts', startIndexing),
  ]),
  on(postsToIndex, 'index-posts', continueIndexing),
]
