import { z } from '@hono/zod-openapi'
import { roles } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'
import { Act } from '../audit/events.ts'

const endReasons = ['logged_out', 'ended_remotely', 'replaced', 'token_reused', 'app_ended', 'code_reused'] as const
export type EndReason = (typeof endReasons)[number]
const reason = z.enum(endReasons).default('logged_out')

export const registered = defineEvent('identity.registered', Act)
export const addressVerified = defineEvent('identity.address-verified', Act)
export const loggedIn = defineEvent('identity.logged-in', Act.extend({ sessionId: z.string() }))
/** `accountId` is null if nobody has the name, or its address is not verified. All names must cause the same work. */
export const loginFailed = defineEvent(
  'identity.login-failed',
  Act.extend({
    accountId: Id.nullable(),
    step: z.enum(['login', 'confirmation', 'verification', 'second-factor']).default('login'),
  }),
)
export type LoginStep = z.infer<typeof loginFailed.data>['step']
/** The password was right, but the account must not log in. */
export const loginRefused = defineEvent(
  'identity.login-refused',
  Act.extend({ reason: z.enum(['suspended', 'awaiting_approval']) }),
)
export const loginConfirmed = defineEvent('identity.login-confirmed', Act.extend({ sessionId: z.string() }))
export const sessionEnded = defineEvent('identity.session-ended', Act.extend({ sessionId: z.string(), reason }))
export const otherSessionsEnded = defineEvent(
  'identity.other-sessions-ended',
  Act.extend({ sessionIds: z.array(z.string()) }),
)
export const refreshTokenReused = defineEvent('identity.refresh-token-reused', Act.extend({ sessionId: z.string() }))
export const allSessionsEnded = defineEvent('identity.all-sessions-ended', Act)
/** `provider` is the name of the provider. */
export const providerLinked = defineEvent('identity.provider-linked', Act.extend({ provider: z.string() }))
export const providerUnlinked = defineEvent('identity.provider-unlinked', Act.extend({ provider: z.string() }))
export const roleChanged = defineEvent('identity.role-changed', Act.extend({ role: z.enum(roles).optional() }))
export const mailQueued = defineEvent('identity.mail-queued', z.object({ mailId: z.string() }))

export const registrationApproved = defineEvent('identity.registration-approved', Act)
export const registrationRejected = defineEvent('identity.registration-rejected', Act)
export const invitationCreated = defineEvent('identity.invitation-created', Act.extend({ invitationId: Id }))
export const passwordResetRequested = defineEvent('identity.password-reset-requested', Act)
export const passwordReset = defineEvent('identity.password-reset', Act)
export const passwordChanged = defineEvent('identity.password-changed', Act)
export const addressChangeRequested = defineEvent('identity.address-change-requested', Act)
export const addressChanged = defineEvent('identity.address-changed', Act)
export const addressChangeUndone = defineEvent('identity.address-change-undone', Act)
export const handleChanged = defineEvent('identity.handle-changed', Act)

const factor = z.enum(['totp', 'passkey'])
export const factorAdded = defineEvent('identity.factor-added', Act.extend({ factor }))
export const factorRemoved = defineEvent('identity.factor-removed', Act.extend({ factor }))
export const recoveryCodesReplaced = defineEvent('identity.recovery-codes-replaced', Act)
export const recoveryCodeUsed = defineEvent('identity.recovery-code-used', Act)
/** With the token from the mail about its addition. */
export const factorUndone = defineEvent('identity.factor-undone', Act.extend({ factor }))
/** The counter of the passkey went back, so it may have been copied. */
export const passkeyRefused = defineEvent('identity.passkey-refused', Act.extend({ passkeyId: z.string() }))
