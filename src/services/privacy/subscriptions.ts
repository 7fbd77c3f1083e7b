import { on } from '../../platform/events/events.ts'
import { exportRequested } from './events.ts'
import { startExport } from './export-jobs.ts'

export const privacySubscriptions = [on(exportRequested, 'start-export', startExport)]
