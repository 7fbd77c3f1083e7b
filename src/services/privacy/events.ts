import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'
import { Act } from '../audit/events.ts'

export const deletionRequested = defineEvent('privacy.deletion-requested', Act)
export const deletionCancelled = defineEvent('privacy.deletion-cancelled', Act)
export const accountErased = defineEvent('privacy.account-erased', Act)

const OfExport = Act.extend({ exportId: Id })
export const exportRequested = defineEvent('privacy.export-requested', OfExport)
export const exportReady = defineEvent('privacy.export-ready', OfExport)
export const exportDownloaded = defineEvent('privacy.export-downloaded', OfExport)
