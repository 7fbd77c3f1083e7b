import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../platform/context.ts'
import { Failure } from '../../platform/failures.ts'
import { DeviceToken, decodeDeviceToken } from './device-tokens.ts'
import { finishFirstFactor } from './factors/finish-login.ts'
import { invalidCredentials } from './failures.ts'
import { checkGuess } from './guessing.ts'
import { isNamed, nameOf } from './names.ts'
import { Password } from './password-rules.ts'
import { findForLogin, trustedDeviceOf } from './people.ts'
import { TurnstileToken } from './turnstile.ts'
import { Identifier, type Tokens } from './views.ts'

export const Login = z
  .strictObject({
    identifier: Identifier,
    password: Password,
    deviceToken: DeviceToken.optional(),
    turnstileToken: TurnstileToken.optional(),
  })
  .openapi('Login')
type Login = z.infer<typeof Login>

/** An unknown name, an unverified address and a wrong password cost the same work and get the same response. */
export async function logIn(ctx: Ctx, { identifier, password, deviceToken, turnstileToken }: Login): Promise<Tokens> {
  const device = await decodeDeviceToken(ctx, deviceToken)
  const find = async () => findForLogin(ctx, isNamed(ctx, await nameOf(ctx, identifier)))
  // With a device token, the person is looked up before the guess is counted. Without one, refusing a guess costs no trip.
  const found = device ? await find() : undefined
  const deviceId = found ? trustedDeviceOf(device, found) : null
  const { person } = await checkGuess(ctx, { identifier, deviceId, turnstileToken }, async () => {
    const { passwordMatches } = await import('./passwords.ts')
    const named = device ? found : await find()
    const matches = passwordMatches(ctx.config, password, named?.password ?? null)
    const person = named?.emailVerified ? named : null
    return { isRight: matches && person !== null, accountId: person?.id ?? null, person: matches ? person : null }
  })
  if (!person) throw new Failure(invalidCredentials)
  return finishFirstFactor(ctx, person, deviceId)
}
