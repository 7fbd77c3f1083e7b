import { z } from '@hono/zod-openapi'
import { and, eq, isNotNull, lt } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import type { Ctx } from '../../../platform/context.ts'
import { changed, failUnless } from '../../../platform/data/conditions.ts'
import { atPrimary } from '../../../platform/data/databases.ts'
import type { Id } from '../../../platform/data/ids.ts'
import { record } from '../../../platform/events/events.ts'
import { openFor } from '../../../platform/security/account-keys.ts'
import { sealClient } from '../../../platform/security/clients.ts'
import { recoveryCodeUsed } from '../events.ts'
import { mailIfChanged } from '../statements.ts'
import { recoveryCodes, totpFactors } from './factor-tables.ts'
import { passkeyUse, USED } from './passkey-assertions.ts'
import { PasskeyAssertion } from './passkey-options.ts'
import { codeHash } from './recovery-codes.ts'
import { stepOf } from './totp-codes.ts'

export const SECRET = 'totp secret'

export const Code = z
  .string()
  .max(20)
  .overwrite((typed) => typed.replace(/\s/g, ''))
  .regex(/^\d{6}$/, 'must have 6 digits')
  .openapi({ description: 'The current code of the authenticator app. It works once', example: '287082' })

export const proofShape = {
  code: Code.optional(),
  recoveryCode: z.string().max(40).optional().openapi({ description: 'Works once', example: 'q2w8e-7rt5y' }),
  passkey: PasskeyAssertion.optional(),
}
/** What a person types as the second factor. */
export const TypedCode = z
  .strictObject({ code: proofShape.code, recoveryCode: proofShape.recoveryCode })
  .refine(
    ({ code, recoveryCode }) => (code === undefined) !== (recoveryCode === undefined),
    'must have one of its fields',
  )
  .openapi('TypedCode', { minProperties: 1, maxProperties: 1 })
export type TypedCode = z.infer<typeof TypedCode>

const Proof = z.object(proofShape)
export type Proof = z.infer<typeof Proof>
type Statements = BatchItem<'sqlite'>[]

/** Statements that consume a valid proof, and fail their batch if it was consumed meanwhile; null for an invalid one. */
export function proofUse(ctx: Ctx, accountId: Id, proof: Proof, challenge?: string): Promise<Statements | null> {
  const { code, recoveryCode, passkey } = proof
  if (passkey !== undefined) return passkeyUse(ctx, accountId, passkey, challenge ?? '')
  return code !== undefined ? codeUse(ctx, accountId, code) : recoveryCodeUse(ctx, accountId, recoveryCode ?? '')
}

async function codeUse(ctx: Ctx, accountId: Id, code: string): Promise<Statements | null> {
  const own = and(eq(totpFactors.accountId, accountId), isNotNull(totpFactors.confirmedAt))
  const [factor] = await atPrimary(ctx)
    .directory.select({ sealed: totpFactors.sealedSecret, lastStep: totpFactors.lastStep })
    .from(totpFactors)
    .where(own)
  const secret = factor && (await openFor(ctx, accountId, factor.sealed, SECRET))
  const step = secret ? await stepOf(secret, code, ctx.now()) : null
  if (!factor || step === null || step <= factor.lastStep) return null
  const db = ctx.db.directory
  return [
    db
      .update(totpFactors)
      .set({ lastStep: step })
      .where(and(own, eq(totpFactors.sealedSecret, factor.sealed), lt(totpFactors.lastStep, step))),
    failUnless(db, changed, USED),
  ]
}

async function recoveryCodeUse(ctx: Ctx, accountId: Id, typed: string): Promise<Statements | null> {
  const own = and(eq(recoveryCodes.accountId, accountId), eq(recoveryCodes.code, await codeHash(ctx, accountId, typed)))
  const [known] = await atPrimary(ctx).directory.select({ code: recoveryCodes.code }).from(recoveryCodes).where(own)
  if (!known) return null
  const db = ctx.db.directory
  const client = await sealClient(ctx, accountId)
  return [
    db.delete(recoveryCodes).where(own),
    failUnless(db, changed, USED),
    record(db, recoveryCodeUsed, { accountId, client }),
    ...mailIfChanged(db, accountId, 'recovery-code-used'),
  ]
}
