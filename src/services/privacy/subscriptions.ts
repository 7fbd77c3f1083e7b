import { on } from '../../platform/events/events.ts'
import * as events from './events.ts'
import { deletionCancelled, deletionRequested, exportRequested } from './events.ts'
import { startExport } from './export-jobs.ts'
import { privacyJobs } from './jobs.ts'
import { syncHidden } from './statements.ts'

const subscriptions = [
  on(deletionRequested, 'hide-account', syncHidden),
  on(deletionCancelled, 'show-account', syncHidden),
  on(exportRequested, 'start-export', startExport),
]

export const privacyWork = { events: Object.values(events), subscriptions, jobs: privacyJobs }
