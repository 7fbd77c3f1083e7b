import { on, onBatch } from '../../platform/events/events.ts'
import { accountChanged, accountHidden, accountRenamed, accountShown } from '../accounts/events.ts'
import { postDeleted, postEdited, postPublished } from '../posts/events.ts'
import { postsToIndex } from './events.ts'
import { continueIndexing, indexAccount, indexPosts, startIndexing, unindexPost } from './indexing.ts'

export const searchSubscriptions = [
  onBatch(postPublished, 'index-posts', (ctx, events) =>
    indexPosts(
      ctx,
      events.map(({ postId }) => postId),
    ),
  ),
  on(postEdited, 'index-post', (ctx, { postId }) => indexPosts(ctx, [postId])),
  on(postDeleted, 'unindex-post', unindexPost),
  on(accountChanged, 'index-account', indexAccount),
  ...[accountHidden, accountShown, accountRenamed].flatMap((event) => [
    on(event, 'index-account', indexAccount),
    on(event, 'index-posts', startIndexing),
  ]),
  on(postsToIndex, 'index-posts', continueIndexing),
]
