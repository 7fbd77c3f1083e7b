import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'

export const registered = defineEvent('identity.registered', z.object({ accountId: Id }))
export const addressVerified = defineEvent('identity.address-verified', z.object({ accountId: Id }))
export const sessionEnded = defineEvent('identity.session-ended', z.object({ accountId: Id, sessionId: z.string() }))
export const allSessionsEnded = defineEvent('identity.all-sessions-ended', z.object({ accountId: Id }))
export const roleChanged = defineEvent('identity.role-changed', z.object({ accountId: Id }))
export const mailQueued = defineEvent('identity.mail-queued', z.object({ mailId: z.string() }))

const byClient = z.object({ accountId: Id, client: z.string() })
export const passwordResetRequested = defineEvent('identity.password-reset-requested', byClient)
export const passwordReset = defineEvent('identity.password-reset', byClient)
export const passwordChanged = defineEvent('identity.password-changed', byClient)
