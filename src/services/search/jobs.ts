import type { Job } from '../../platform/events/jobs.ts'
import { forgetOldTags, mergeBlocks } from './indexing.ts'
import { setMarks } from './marks.ts'
import { continueRebuild } from './rebuild.ts'
import { storeTrends } from './trend-lists.ts'
import { forgetOldVotes } from './votes.ts'

export const searchJobs: Job[] = [
  { name: 'forget old uses of hashtags', every: 'hour', run: forgetOldTags },
  { name: 'forget old votes for trends', every: 'hour', run: forgetOldVotes },
  { name: 'remove deleted words from the index', every: 'hour', run: async (ctx) => void (await mergeBlocks(ctx)) },
  { name: 'mark places in the index', every: 'hour', run: setMarks },
  { name: 'rebuild the index', every: 'minute', perShard: true, run: continueRebuild },
  { name: 'list what is trending', every: 'minute', run: storeTrends },
]
