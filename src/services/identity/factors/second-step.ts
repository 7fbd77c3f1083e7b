import { z } from '@hono/zod-openapi'
import { and, eq } from 'drizzle-orm'
import type { Ctx } from '../../../platform/context.ts'
import { dailyCodesLimit, secondFactorLimit, secondStepLimit } from '../limits.ts'
import { findForLogin } from '../people.ts'
import { users } from '../tables.ts'
import type { Tokens } from '../views.ts'
import { ChallengeToken, readChallenge, useChallenge, wrongChallenge } from './challenges.ts'
import { openLogin, requireMayLogIn } from './finish-login.ts'
import { requireRight, warnOfGuesses } from './guess-limits.ts'
import { proofShape, proofUse } from './proofs.ts'
import { waitingIn } from './second-step-challenge.ts'
import { refuseUsed, requireOneProof } from './used-proofs.ts'

export const SecondStep = z.strictObject({ challenge: ChallengeToken, ...proofShape }).openapi('SecondStep')
type SecondStep = z.infer<typeof SecondStep>

/** Uses up the challenge together with its proof. A challenge ends when all logins of the account end. */
export async function finishLogin(ctx: Ctx, { challenge: token, ...proof }: SecondStep): Promise<Tokens> {
  requireOneProof(proof)
  const challenge = await readChallenge(ctx, 'second factor', token)
  const { accountId, deviceId } = waitingIn(challenge.subject)
  const person = await findForLogin(ctx, and(eq(users.id, accountId), eq(users.emailVerified, true)))
  if (!person || challenge.issuedAt <= person.tokensVoidBefore) throw wrongChallenge()
  // Strangers who know the password cannot use up the attempts on a known device.
  const key = `${accountId}:${deviceId ?? ''}`
  const counters = [
    { limit: secondStepLimit, key: challenge.id },
    ...(proof.code === undefined ? [] : [{ limit: dailyCodesLimit, key }]),
    { limit: secondFactorLimit, key },
  ]
  await requireMayLogIn(ctx, person)
  const db = ctx.db.directory
  await requireRight(ctx, counters, { accountId, step: 'second-factor' }, async () => {
    const uses = await proofUse(ctx, accountId, proof, token)
    if (!uses) await warnOfGuesses(ctx, accountId)
    return uses && db.commit([useChallenge(db, challenge), ...uses]).catch(refuseUsed)
  })
  return openLogin(ctx, person, deviceId)
}
