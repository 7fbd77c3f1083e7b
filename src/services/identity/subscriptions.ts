import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { on } from '../../platform/events/events.ts'
import { enqueue, onTask } from '../../platform/events/tasks.ts'
import { revokeSession } from '../../platform/security/revocation.ts'
import { accountSuspended } from '../accounts/events.ts'
import { openAccount } from '../accounts/statements.ts'
import { addressVerified, allSessionsEnded, registered, roleChanged, sessionEnded } from './events.ts'
import { mailRegistration, registrationMail } from './registration-mail.ts'
import { endSessionsOfSuspended, revokeAllTokens } from './revocation.ts'
import { handles } from './tables.ts'

export const identitySubscriptions = [
  on(registered, (ctx, { accountId }) => enqueue(ctx, registrationMail, [{ accountId }])),
  on(addressVerified, (ctx, { accountId }) => ensureOpen(ctx, accountId)),
  on(sessionEnded, revokeSession),
  on(allSessionsEnded, revokeAllTokens),
  on(roleChanged, revokeAllTokens),
  on(accountSuspended, endSessionsOfSuspended),
]

export const identityTasks = [onTask(registrationMail, mailRegistration)]

/** Opens the account again, in case that the verification was cut off before it could. */
async function ensureOpen(ctx: SystemCtx, id: Id): Promise<void> {
  const [row] = await ctx.db.directory.select({ handle: handles.handle }).from(handles).where(eq(handles.accountId, id))
  const db = ctx.db.shardOf(id)
  if (row) await db.batch(openAccount(db, { id, handle: row.handle }))
}
