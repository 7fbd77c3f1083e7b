import { z } from '@hono/zod-openapi'
import { count, eq } from 'drizzle-orm'
import type { UserCtx } from '../../../platform/context.ts'
import { failUnless, refusals } from '../../../platform/data/conditions.ts'
import { atPrimary } from '../../../platform/data/databases.ts'
import { record } from '../../../platform/events/events.ts'
import { Failure } from '../../../platform/failures.ts'
import { actorOf } from '../../../platform/security/clients.ts'
import { recoveryCodesReplaced } from '../events.ts'
import { queueMail } from '../mails.ts'
import { isPasswordOf } from '../names.ts'
import { ENDED, loginLasts, refusedIfEnded } from '../statements.ts'
import { credentials } from '../tables.ts'
import { passkeys, recoveryCodes, totpFactors } from './factor-tables.ts'
import { hasFactor } from './factors.ts'
import { newRecoveryCodes, replaceCodes } from './recovery-codes.ts'

export const SecondFactors = z
  .object({
    totpSince: z.iso.datetime().nullable().openapi({ description: 'Null without an authenticator app' }),
    passkeys: z.int(),
    recoveryCodes: z.int().openapi({ description: 'How many are left' }),
    hasPassword: z.boolean(),
  })
  .openapi('SecondFactors', { example: { totpSince: null, passkeys: 1, recoveryCodes: 10 } })
type SecondFactors = z.infer<typeof SecondFactors>

export async function readSecondFactors(ctx: UserCtx): Promise<SecondFactors> {
  const accountId = ctx.viewer.id
  const db = atPrimary(ctx).directory
  const [[totp], [keys], [codes], [password]] = await db.batch([
    db.select({ at: totpFactors.confirmedAt }).from(totpFactors).where(eq(totpFactors.accountId, accountId)),
    db.select({ count: count() }).from(passkeys).where(eq(passkeys.accountId, accountId)),
    db.select({ count: count() }).from(recoveryCodes).where(eq(recoveryCodes.accountId, accountId)),
    db.select({ hash: credentials.password }).from(credentials).where(isPasswordOf(accountId)),
  ])
  return {
    totpSince: totp?.at ? new Date(totp.at).toISOString() : null,
    passkeys: keys?.count ?? 0,
    recoveryCodes: codes?.count ?? 0,
    hasPassword: (password?.hash ?? null) !== null,
  }
}

export const RecoveryCodes = z
  .object({ recoveryCodes: z.array(z.string()).openapi({ description: 'Returned only once' }) })
  .openapi('RecoveryCodes', { example: { recoveryCodes: ['q2w8e-7rt5y', '3fk9d-x0mzp'] } })
type RecoveryCodes = z.infer<typeof RecoveryCodes>

export async function replaceRecoveryCodes(ctx: UserCtx): Promise<RecoveryCodes> {
  const accountId = ctx.viewer.id
  const codes = newRecoveryCodes()
  const db = ctx.db.directory
  await db
    .commit([
      failUnless(db, loginLasts(ctx), ENDED),
      failUnless(db, hasFactor(accountId), 'no_factor'),
      ...(await replaceCodes(ctx, db, accountId, codes)),
      record(db, recoveryCodesReplaced, { accountId, ...(await actorOf(ctx)) }),
      ...queueMail(db, { accountId, kind: 'recovery-codes-replaced' }),
    ])
    .catch(
      refusals({ ...refusedIfEnded, no_factor: () => new Failure('conflict', 'the account has no second factor') }),
    )
  return { recoveryCodes: codes }
}
