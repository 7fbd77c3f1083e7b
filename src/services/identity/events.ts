import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'

export const registered = defineEvent('identity.registered', z.object({ accountId: Id }))
export const addressVerified = defineEvent('identity.address-verified', z.object({ accountId: Id }))
export const sessionEnded = defineEvent('identity.session-ended', z.object({ accountId: Id, sessionId: z.string() }))
export const allSessionsEnded = defineEvent('identity.all-sessions-ended', z.object({ accountId: Id }))
export const roleChanged = defineEvent('identity.role-changed', z.object({ accountId: Id }))
export const mailQueued = defineEvent('identity.mail-queued', z.object({ mailId: z.string() }))

const Decision = z.object({ accountId: Id, actorId: Id })
export const registrationApproved = defineEvent('identity.registration-approved', Decision)
export const registrationRejected = defineEvent('identity.registration-rejected', Decision)
export const invitationCreated = defineEvent(
  'identity.invitation-created',
  z.object({ accountId: Id, invitationId: Id }),
)
