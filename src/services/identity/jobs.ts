import { and, eq, inArray, isNotNull, isNull, lt, or } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import type { Job } from '../../platform/events/jobs.ts'
import { destroyKeys } from '../../platform/security/account-keys.ts'
import { totpFactors, usedChallenges } from './factors/factor-tables.ts'
import { resendOverdue } from './mails.ts'
import { refreshTokens } from './oauth-tables.ts'
import { addressChanges, formerAddresses, formerHandles, handles, invitations, sessions, users } from './tables.ts'
import { deleteUnusedKeys } from './unused-keys.ts'

export const identityJobs: Job[] = [
  { name: 'delete what has expired in the directory', every: 'hour', run: deleteLapsed },
  { name: 'resend overdue mails', every: 'hour', run: resendOverdue },
  { name: 'delete keys without an account', every: 'hour', run: deleteUnusedKeys },
]

export async function deleteLapsed(ctx: SystemCtx): Promise<void> {
  const db = ctx.db.directory
  // If its email is not sent yet, a registration is kept for another day. Its handle is not reserved in that time.
  const isMailed = or(isNotNull(handles.mailedAt), lt(handles.reservedUntil, ctx.now() - DAY_MS))
  const lapsed = and(isNotNull(handles.reservedUntil), lt(handles.reservedUntil, ctx.now()), isMailed)
  const unverified = db.select({ id: handles.accountId }).from(handles).where(lapsed)
  const [, ended] = await db.batch([
    db.delete(users).where(and(inArray(users.id, unverified), eq(users.emailVerified, false))),
    db.delete(handles).where(lapsed).returning({ id: handles.accountId }),
    db.delete(sessions).where(lt(sessions.expiresAt, new Date(ctx.now()))),
    // A day later, because a registration with it may still be verified.
    db.delete(invitations).where(lt(invitations.expiresAt, ctx.now() - DAY_MS)),
    // Without a response, the rotation was interrupted, so the client still needs the token.
    db
      .delete(refreshTokens)
      .where(
        and(
          lt(refreshTokens.rotationReplayExpiresAt, new Date(ctx.now())),
          isNotNull(refreshTokens.rotationReplayResponse),
        ),
      ),
    db.delete(addressChanges).where(lt(addressChanges.until, ctx.now())),
    db.delete(formerAddresses).where(lt(formerAddresses.until, ctx.now())),
    db.delete(formerHandles).where(lt(formerHandles.until, ctx.now())),
    db.delete(usedChallenges).where(lt(usedChallenges.until, ctx.now())),
    db.delete(totpFactors).where(and(isNull(totpFactors.confirmedAt), lt(totpFactors.createdAt, ctx.now() - DAY_MS))),
  ])
  await destroyKeys(
    ctx,
    ended.map(({ id }) => id),
  )
}
