import { on } from '../../platform/events/events.ts'
import { deletionCancelled, deletionRequested, exportRequested } from './events.ts'
import { startExport } from './export-jobs.ts'
import { syncHidden } from './statements.ts'

export const privacySubscriptions = [
  on(deletionRequested, 'hide-account', syncHidden),
  on(deletionCancelled, 'show-account', syncHidden),
  on(exportRequested, 'start-export', startExport),
]
