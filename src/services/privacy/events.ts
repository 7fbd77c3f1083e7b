import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'

export const deletionRequested = defineEvent('privacy.deletion-requested', z.object({ accountId: Id }))
export const deletionCancelled = defineEvent('privacy.deletion-cancelled', z.object({ accountId: Id }))
export const accountErased = defineEvent('privacy.account-erased', z.object({ accountId: Id }))
