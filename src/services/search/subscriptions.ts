import { on } from '../../platform/events/events.ts'
import type { Job } from '../../platform/events/jobs.ts'
import { accountChanged, accountHidden, accountRenamed, accountShown } from '../accounts/events.ts'
import { postDeleted, postEdited, postLiked, postPublished, postUnliked } from '../posts/events.ts'
import * as events from './events.ts'
import { applyCuration } from './hidden-trends.ts'
import {
  continueIndexing,
  continueUnindexing,
  forgetOldTags,
  indexAccount,
  indexEdited,
  indexPublished,
  mergeBlocks,
  startIndexing,
  unindexPost,
} from './indexing.ts'
import { setMarks } from './marks.ts'
import { continueRebuild } from './rebuild.ts'
import { storeTrends } from './trend-lists.ts'
import { forgetOldVotes, voteLiked, withdrawLike, withdrawVotes } from './votes.ts'

// None is declared with `onBatch`, so that a slow index delays no notification.
const subscriptions = [
  on(postPublished, 'index-post', indexPublished),
  on(postEdited, 'index-post', indexEdited),
  on(postDeleted, 'unindex-post', unindexPost),
  on(events.threadToUnindex, 'unindex-thread', continueUnindexing),
  on(postLiked, 'vote', voteLiked),
  on(postUnliked, 'withdraw-vote', withdrawLike),
  on(accountHidden, 'withdraw-votes', withdrawVotes),
  on(accountChanged, 'index-account', indexAccount),
  ...[accountHidden, accountShown, accountRenamed].flatMap((event) => [
    on(event, 'index-account', indexAccount),
    on(event, 'index-posts', startIndexing),
  ]),
  on(events.trendHidden, 'hide-trend', (ctx, trend, id) => applyCuration(ctx, trend, true, id)),
  on(events.trendShown, 'show-trend', (ctx, trend, id) => applyCuration(ctx, trend, false, id)),
  on(events.postsToIndex, 'index-posts', continueIndexing),
]

const jobs: Job[] = [
  { name: 'forget old uses of hashtags', every: 'hour', run: forgetOldTags },
  { name: 'forget old votes for trends', every: 'hour', run: forgetOldVotes },
  { name: 'remove deleted words from the index', every: 'hour', run: async (ctx) => void (await mergeBlocks(ctx)) },
  { name: 'mark places in the index', every: 'hour', run: setMarks },
  { name: 'rebuild the index', every: 'minute', perShard: true, run: continueRebuild },
  { name: 'list what is trending', every: 'minute', run: storeTrends },
]

export const searchWork = { events: Object.values(events), subscriptions, jobs }
