import { z } from '@hono/zod-openapi'
import { and, eq, isNotNull, isNull } from 'drizzle-orm'
import type { UserCtx } from '../../../platform/context.ts'
import { changed, failUnless, refusals } from '../../../platform/data/conditions.ts'
import { atPrimary } from '../../../platform/data/databases.ts'
import { Failure } from '../../../platform/failures.ts'
import { openFor, sealFor } from '../../../platform/security/account-keys.ts'
import { confirmLimit } from '../limits.ts'
import { handles } from '../tables.ts'
import { addFactor, refusedChanges, removeFactor } from './factor-changes.ts'
import { totpFactors } from './factor-tables.ts'
import { requireRight } from './guess-limits.ts'
import { USED } from './passkey-assertions.ts'
import { Code, SECRET } from './proofs.ts'
import { newSecret, stepOf } from './totp-codes.ts'

export const TotpSecret = z
  .object({
    secret: z.string().openapi({ description: 'Base32, to type it into an authenticator app' }),
    uri: z.string().openapi({ description: 'For a QR code that an authenticator app scans' }),
  })
  .openapi('TotpSecret', {
    example: {
      secret: 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
      uri: 'otpauth://totp/SocialConnect:ada?issuer=SocialConnect&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ',
    },
  })
type TotpSecret = z.infer<typeof TotpSecret>

/** Has no effect until `confirmTotp`. A repetition replaces the secret. */
export async function startTotp(ctx: UserCtx): Promise<TotpSecret> {
  const accountId = ctx.viewer.id
  const db = ctx.db.directory
  const [owner] = await db.select({ handle: handles.handle }).from(handles).where(eq(handles.accountId, accountId))
  const totp = await newSecret('SocialConnect', owner?.handle ?? '')
  const pending = {
    sealedSecret: await sealFor(ctx, accountId, totp.secret, SECRET),
    createdAt: ctx.now(),
    lastStep: 0,
  }
  const [stored] = await db
    .insert(totpFactors)
    .values({ accountId, ...pending })
    .onConflictDoUpdate({ target: totpFactors.accountId, set: pending, setWhere: isNull(totpFactors.confirmedAt) })
    .returning({ accountId: totpFactors.accountId })
  if (!stored) throw new Failure('conflict', 'the account has an authenticator app; remove it first')
  return totp
}

export const TotpConfirmation = z.strictObject({ code: Code }).openapi('TotpConfirmation')
type TotpConfirmation = z.infer<typeof TotpConfirmation>

/** `recoveryCodes` is null if the account has some already, because it has a passkey. */
export const ConfirmedTotp = z
  .object({
    recoveryCodes: z.array(z.string()).nullable().openapi({
      description: 'Returned only once, with the first second factor of the account',
    }),
  })
  .openapi('ConfirmedTotp', { example: { recoveryCodes: ['q2w8e-7rt5y', '3fk9d-x0mzp'] } })
type ConfirmedTotp = z.infer<typeof ConfirmedTotp>

export async function confirmTotp(ctx: UserCtx, { code }: TotpConfirmation): Promise<ConfirmedTotp> {
  const { id: accountId, sessionId } = ctx.viewer
  const pending = and(eq(totpFactors.accountId, accountId), isNull(totpFactors.confirmedAt))
  const [factor] = await atPrimary(ctx)
    .directory.select({ sealed: totpFactors.sealedSecret })
    .from(totpFactors)
    .where(pending)
  if (!factor) throw new Failure('conflict', 'there is nothing to confirm; start again')
  const secret = await openFor(ctx, accountId, factor.sealed, SECRET)
  const counters = [{ limit: confirmLimit, key: `${accountId}:${sessionId}` }]
  const failed = { accountId, actorId: accountId, step: 'confirmation' } as const
  const lastStep = await requireRight(ctx, counters, failed, async () =>
    secret === null ? null : stepOf(secret, code, ctx.now()),
  )
  const db = ctx.db.directory
  const isSame = and(pending, eq(totpFactors.sealedSecret, factor.sealed))
  const confirmedAt = ctx.now()
  const confirmed = db.update(totpFactors).set({ confirmedAt, lastStep }).where(isSame)
  const added = { factor: 'totp', id: String(confirmedAt) } as const
  const refuse = refusals({ ...refusedChanges, [USED]: () => new Failure('conflict') })
  return { recoveryCodes: await addFactor(ctx, added, [confirmed, failUnless(db, changed, USED)], refuse) }
}

export async function removeTotp(ctx: UserCtx): Promise<void> {
  const own = and(eq(totpFactors.accountId, ctx.viewer.id), isNotNull(totpFactors.confirmedAt))
  await removeFactor(ctx, 'totp', ctx.db.directory.delete(totpFactors).where(own))
}
