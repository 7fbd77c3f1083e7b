import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { on } from '../../platform/events/events.ts'
import { enqueue, onTask } from '../../platform/events/tasks.ts'
import { revokeSessions } from '../../platform/security/revocation.ts'
import { accountSuspended, suspensionLifted, suspensionToCopy } from '../accounts/events.ts'
import { deletionRequested } from '../privacy/events.ts'
import { openIfApproved } from './approvals.ts'
import {
  addressChangeUndone,
  addressVerified,
  allSessionsEnded,
  factorUndone,
  handleChanged,
  mailQueued,
  otherSessionsEnded,
  passwordChanged,
  passwordReset,
  registered,
  registrationApproved,
  roleChanged,
  sessionEnded,
} from './events.ts'
import { syncHandle } from './handles.ts'
import { deliverMail } from './mail-requests.ts'
import { mailTask } from './mails.ts'
import { mailRegistration, registrationMail } from './registration-mail.ts'
import { endSessionsOfSuspended, revokeAllTokens } from './revocation.ts'
import { copySuspension } from './statements.ts'

export const identitySubscriptions = [
  on(registered, 'send-mail', (ctx, { accountId }) => enqueue(ctx, registrationMail, [{ accountId }])),
  on(addressVerified, 'open-account', ensureOpen),
  on(registrationApproved, 'open-account', ensureOpen),
  on(mailQueued, 'send', (ctx, mail) => enqueue(ctx, mailTask, [mail])),
  on(sessionEnded, 'revoke-tokens', (ctx, { accountId, sessionId }) => revokeSessions(ctx, accountId, [sessionId])),
  on(otherSessionsEnded, 'revoke-tokens', async (ctx, { accountId, sessionIds }) => {
    await revokeSessions(ctx, accountId, sessionIds)
    await revokeAllTokens(ctx, { accountId })
  }),
  on(allSessionsEnded, 'revoke-tokens', revokeAllTokens),
  on(roleChanged, 'revoke-tokens', revokeAllTokens),
  on(passwordReset, 'revoke-tokens', revokeAllTokens),
  on(passwordChanged, 'revoke-tokens', revokeAllTokens),
  on(addressChangeUndone, 'revoke-tokens', revokeAllTokens),
  on(factorUndone, 'revoke-tokens', revokeAllTokens),
  on(handleChanged, 'show-handle', syncHandle),
  on(deletionRequested, 'revoke-tokens', revokeAllTokens),
  on(accountSuspended, 'end-sessions', endSessionsOfSuspended),
  on(accountSuspended, 'copy-suspension', copySuspension),
  on(suspensionLifted, 'copy-suspension', copySuspension),
  on(suspensionToCopy, 'copy-suspension', copySuspension),
]

export const identityTasks = [onTask(registrationMail, mailRegistration), onTask(mailTask, deliverMail)]

/** Opens the account if the operation was interrupted before it did so. */
async function ensureOpen(ctx: SystemCtx, { accountId }: { accountId: Id }): Promise<void> {
  await openIfApproved(ctx, accountId)
}
