import { z } from '@hono/zod-openapi'
import { and, eq } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import { record } from '../../platform/events/events.ts'
import { invalid } from '../../platform/failures.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { loginConfirmed } from './events.ts'
import { ChallengeToken, newChallenge, readChallenge, useChallenge, wrongChallenge } from './factors/challenges.ts'
import { type Factors, readFactors } from './factors/factors.ts'
import { requireRight } from './factors/guess-limits.ts'
import { type PasskeyChallenge, passkeyRequest } from './factors/passkey-options.ts'
import { ownLogin } from './factors/passkey-registration.ts'
import { proofShape, proofUse, type TypedCode } from './factors/proofs.ts'
import { refuseUsed } from './factors/used-proofs.ts'
import { confirmLimit } from './limits.ts'
import { Password } from './password-rules.ts'
import { sessions } from './tables.ts'

export const Confirmation = z
  .strictObject({
    password: Password.optional(),
    ...proofShape,
    challenge: ChallengeToken.optional().openapi({ description: 'From `startConfirmation`, with `passkey`' }),
  })
  .openapi('Confirmation')
type Confirmation = z.infer<typeof Confirmation>

/** A passkey confirms a login alone. Without one, the password does, together with a code if there is a second factor. A code alone is never enough. */
export async function confirmLogin(ctx: UserCtx, given: Confirmation): Promise<void> {
  const { password, challenge: token, ...proof } = given
  const { id } = ctx.viewer
  const factors = await readFactors(ctx, id)
  requireEnough(factors, given)
  const challenge = proof.passkey ? await readChallenge(ctx, 'confirmation', token ?? '') : null
  if (challenge && challenge.subject !== ownLogin(ctx)) throw wrongChallenge()
  const db = ctx.db.directory
  const confirmed = await confirmation(ctx)
  await requireRightByLogin(ctx, async () => {
    if (!proof.passkey && !(await matches(ctx, password ?? '', factors.hash ?? ''))) return null
    const uses = Object.keys(proof).length > 0 ? await proofUse(ctx, id, proof, token) : []
    const used = challenge ? [useChallenge(db, challenge)] : []
    return uses && db.commit([...confirmed, ...used, ...uses]).catch(refuseUsed)
  })
}

/** For a person who proves by `prove`, instead of with the password, to own the account. The code is checked first. */
export async function confirmBy(ctx: UserCtx, code: TypedCode | undefined, prove: () => Promise<void>): Promise<void> {
  const { id } = ctx.viewer
  const db = ctx.db.directory
  const { isOn } = await readFactors(ctx, id)
  const confirmed = await confirmation(ctx)
  if (!isOn) {
    await prove()
    await db.commit(confirmed)
    return
  }
  if (!code) throw invalid('secondFactor', 'is required, because the account has a second factor')
  await requireRightByLogin(ctx, async () => {
    const uses = await proofUse(ctx, id, code)
    if (!uses) return null
    await prove()
    return db.commit([...confirmed, ...uses]).catch(refuseUsed)
  })
}

async function confirmation(ctx: UserCtx) {
  const { id, sessionId } = ctx.viewer
  const db = ctx.db.directory
  return [
    db
      .update(sessions)
      .set({ confirmedAt: ctx.now() })
      .where(and(eq(sessions.id, sessionId), eq(sessions.userId, id))),
    record(db, loginConfirmed, { accountId: id, sessionId, ...(await actorOf(ctx)) }, changed),
  ] as const
}

function requireEnough({ hash, isOn }: Factors, { password, passkey, code, recoveryCode }: Confirmation): void {
  if (passkey !== undefined) return
  if (hash === null)
    throw invalid('passkey', 'is required, or a confirmation at a provider: the account has no password')
  if (password === undefined) throw invalid('password', 'is required, or else a passkey')
  const isProved = code !== undefined || recoveryCode !== undefined
  if (isOn && !isProved) throw invalid('code', 'is required, because the account has a second factor')
}

/** The challenge that a passkey signs to confirm this login. */
export async function startConfirmation(ctx: UserCtx): Promise<PasskeyChallenge> {
  const challenge = await newChallenge(ctx, 'confirmation', ownLogin(ctx))
  return { challenge, options: await passkeyRequest(ctx, challenge) }
}

/** Returns the hash of the password, or null if the account has none. */
export async function requireOwnPassword(ctx: UserCtx, password: string | undefined): Promise<string | null> {
  const { hash } = await readFactors(ctx, ctx.viewer.id)
  if (hash === null) return null
  if (password === undefined) throw invalid('currentPassword', 'is required')
  return requireRightByLogin(ctx, async () => ((await matches(ctx, password, hash)) ? hash : null))
}

async function matches(ctx: Ctx, password: string, hash: string): Promise<boolean> {
  const { passwordMatches } = await import('./passwords.ts')
  return passwordMatches(ctx.config, password, hash)
}

/** Wrong guesses are counted per login, so that a stolen token cannot block another login. */
function requireRightByLogin<T>(ctx: UserCtx, check: () => Promise<T | null>): Promise<T> {
  const { id, sessionId } = ctx.viewer
  const counters = [{ limit: confirmLimit, key: `${id}:${sessionId}` }]
  return requireRight(ctx, counters, { accountId: id, actorId: id, step: 'confirmation' }, check)
}
