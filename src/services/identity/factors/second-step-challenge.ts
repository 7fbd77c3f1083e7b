import type { SystemCtx } from '../../../platform/context.ts'
import { Id } from '../../../platform/data/ids.ts'
import { Failure } from '../../../platform/failures.ts'
import { isFromReset } from '../device-tokens.ts'
import { secondFactorRequired } from '../failures.ts'
import { newChallenge } from './challenges.ts'
import type { Factors } from './factors.ts'
import { passkeyRequest } from './passkey-options.ts'

type Waiting = { accountId: Id; deviceId: string | null; factors: Factors }

/** The failure that asks for a second factor, with a challenge for this account and device. */
export async function secondStepFailure(ctx: SystemCtx, { accountId, deviceId, factors }: Waiting): Promise<Failure> {
  // Devices from a password reset do not count as known, because each would get its own limit of guesses.
  const known = deviceId !== null && !isFromReset(deviceId) ? deviceId : ''
  const challenge = await newChallenge(ctx, 'second factor', `${accountId}:${known}`)
  const methods = [factors.totp && 'code', 'recovery_code', factors.passkey && 'passkey'].filter(Boolean)
  const passkey = await passkeyRequest(ctx, challenge)
  return new Failure(secondFactorRequired, undefined, { members: { secondFactor: { challenge, methods, passkey } } })
}

/** The account, and the known device or null, from the subject of a challenge. */
export function waitingIn(subject: string): { accountId: Id; deviceId: string | null } {
  const [accountId = '', deviceId] = subject.split(':')
  return { accountId: Id.parse(accountId), deviceId: deviceId || null }
}
