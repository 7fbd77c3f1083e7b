import type { Job } from '../../platform/events/jobs.ts'
import { forgetOldTags, mergeBlocks } from './indexing.ts'
import { continueRebuilds } from './rebuild.ts'
import { storeTrends } from './trend-lists.ts'
import { forgetOldVotes } from './votes.ts'

export const searchJobs: Job[] = [
  { name: 'forget old uses of hashtags', every: 'hour', run: forgetOldTags },
  { name: 'forget old votes for trends', every: 'hour', run: forgetOldVotes },
  { name: 'remove deleted words from the index', every: 'hour', run: mergeBlocks },
  { name: 'rebuild the index', every: 'minute', run: continueRebuilds },
  { name: 'list what is trending', every: 'minute', run: storeTrends },
]
