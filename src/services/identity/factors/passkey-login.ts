import { z } from '@hono/zod-openapi'
import { and, eq } from 'drizzle-orm'
import type { Ctx } from '../../../platform/context.ts'
import { Failure } from '../../../platform/failures.ts'
import { DeviceToken, decodeDeviceToken } from '../device-tokens.ts'
import { invalidCredentials } from '../failures.ts'
import { findForLogin, trustedDeviceOf } from '../people.ts'
import { users } from '../tables.ts'
import type { Tokens } from '../views.ts'
import { ChallengeToken, newChallenge, readChallenge, useChallenge } from './challenges.ts'
import { openLogin, requireMayLogIn } from './finish-login.ts'
import { assertionUse, findPasskey } from './passkey-assertions.ts'
import { PasskeyAssertion, type PasskeyChallenge, passkeyRequest } from './passkey-options.ts'
import { refuseUsed } from './used-proofs.ts'

export async function startPasskeyLogin(ctx: Ctx): Promise<PasskeyChallenge> {
  const challenge = await newChallenge(ctx, 'passkey login', '')
  return { challenge, options: await passkeyRequest(ctx, challenge) }
}

export const PasskeyLogin = z
  .strictObject({ challenge: ChallengeToken, passkey: PasskeyAssertion, deviceToken: DeviceToken.optional() })
  .openapi('PasskeyLogin')
type PasskeyLogin = z.infer<typeof PasskeyLogin>

/** The authenticator has verified the person, so a passkey counts as both factors. */
export async function logInWithPasskey(
  ctx: Ctx,
  { challenge: token, passkey, deviceToken }: PasskeyLogin,
): Promise<Tokens> {
  const challenge = await readChallenge(ctx, 'passkey login', token)
  const known = await findPasskey(ctx, passkey.id)
  const uses = known && (await assertionUse(ctx, known, passkey, token))
  const person = uses && (await findForLogin(ctx, and(eq(users.id, known.accountId), eq(users.emailVerified, true))))
  if (!person) throw new Failure(invalidCredentials)
  await requireMayLogIn(ctx, person)
  const db = ctx.db.directory
  await db.commit([useChallenge(db, challenge), ...uses]).catch(refuseUsed)
  return openLogin(ctx, person, trustedDeviceOf(await decodeDeviceToken(ctx, deviceToken), person))
}
