import type { Job } from '../../platform/events/jobs.ts'
import { deleteOldCodes } from './codes.ts'
import { deleteUnusedApps } from './dynamic-registration.ts'

export const appJobs: Job[] = [
  { name: 'delete old authorization codes', every: 'hour', run: deleteOldCodes },
  { name: 'delete apps that registered themselves and are unused', every: 'day', run: deleteUnusedApps },
]
