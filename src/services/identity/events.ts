import { z } from '@hono/zod-openapi'
import { defineEvent } from '../../platform/events.ts'
import { Id } from '../../platform/ids.ts'

export const registered = defineEvent('identity.registered', z.object({ accountId: Id }))
export const addressVerified = defineEvent('identity.address-verified', z.object({ accountId: Id }))
export const sessionEnded = defineEvent('identity.session-ended', z.object({ accountId: Id, sessionId: z.string() }))
export const allSessionsEnded = defineEvent('identity.all-sessions-ended', z.object({ accountId: Id }))
export const roleChanged = defineEvent('identity.role-changed', z.object({ accountId: Id }))
