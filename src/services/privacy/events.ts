import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'
import { Act } from '../audit/events.ts'

const OfExport = Act.extend({ exportId: Id })
export const exportRequested = defineEvent('privacy.export-requested', OfExport)
export const exportReady = defineEvent('privacy.export-ready', OfExport)
export const exportDownloaded = defineEvent('privacy.export-downloaded', OfExport)
export const deletionRequested = defineEvent('privacy.deletion-requested', z.object({ accountId: Id }))
export const deletionCancelled = defineEvent('privacy.deletion-cancelled', z.object({ accountId: Id }))
export const accountErased = defineEvent('privacy.account-erased', z.object({ accountId: Id }))
