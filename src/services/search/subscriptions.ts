import { on } from '../../platform/events/events.ts'
import { accountChanged, accountHidden, accountRenamed, accountShown } from '../accounts/events.ts'
import { postDeleted, postEdited, postLiked, postPublished, postUnliked } from '../posts/events.ts'
import { postsToIndex, threadToUnindex } from './events.ts'
import {
  continueIndexing,
  continueUnindexing,
  indexAccount,
  indexEdited,
  indexPublished,
  startIndexing,
  unindexPost,
} from './indexing.ts'
import { voteLiked, withdrawLike, withdrawVotes } from './votes.ts'

// None is declared with `onBatch`, so that a slow index delays no notification.
export const searchSubscriptions = [
  on(postPublished, 'index-post', indexPublished),
  on(postEdited, 'index-post', indexEdited),
  on(postDeleted, 'unindex-post', unindexPost),
  on(threadToUnindex, 'unindex-thread', continueUnindexing),
  on(postLiked, 'vote', voteLiked),
  on(postUnliked, 'withdraw-vote', withdrawLike),
  on(accountHidden, 'withdraw-votes', withdrawVotes),
  on(accountChanged, 'index-account', indexAccount),
  ...[accountHidden, accountShown, accountRenamed].flatMap((event) => [
    on(event, 'index-account', indexAccount),
    on(event, 'index-posts', startIndexing),
  ]),
  on(postsToIndex, 'index-posts', continueIndexing),
]
