import type { Job } from '../../platform/events/jobs.ts'
import { forgetOldTags } from './indexing.ts'

export const searchJobs: Job[] = [{ name: 'forget old uses of hashtags', every: 'hour', run: forgetOldTags }]
