import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'

const OfExport = z.object({ accountId: Id, exportId: Id })
export const exportRequested = defineEvent('privacy.export-requested', OfExport)
export const exportReady = defineEvent('privacy.export-ready', OfExport)
export const exportDownloaded = defineEvent('privacy.export-downloaded', OfExport)
