import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../../platform/context.ts'
import { PasskeyRequest } from '../../../platform/http/second-factor.ts'
import { CHALLENGE_MINUTES } from '../lifetimes.ts'
import { ChallengeToken, signedBy } from './challenges.ts'

/** Passkeys belong to the host of BASE_URL, and work only on pages of its origin. */
export function relyingParty({ config }: Pick<SystemCtx, 'config'>): { rpId: string; origin: string } {
  const { hostname: rpId, origin } = new URL(config.BASE_URL)
  return { rpId, origin }
}

/** The options of `navigator.credentials.get`. The list is empty, because passkeys are found without a name. */
export async function passkeyRequest(ctx: SystemCtx, token: string): Promise<PasskeyRequest> {
  return {
    challenge: await signedBy(token),
    rpId: relyingParty(ctx).rpId,
    timeout: CHALLENGE_MINUTES * 60_000,
    userVerification: 'required',
    allowCredentials: [],
  }
}

export const PasskeyChallenge = z
  .object({ challenge: ChallengeToken, options: PasskeyRequest })
  .openapi('PasskeyChallenge', { example: { challenge: '1b4e28ba.1970324836974593:.1893456000000.qL0c3nUe8vZ6yTjW' } })
export type PasskeyChallenge = z.infer<typeof PasskeyChallenge>

export const Base64url = z.string().regex(/^[\w-]+$/, 'must be base64url')

/** What an authenticator signed: the parts of the result of `navigator.credentials.get`. */
export const PasskeyAssertion = z
  .strictObject({
    id: Base64url.max(1_400).openapi({ description: 'The id of the credential' }),
    clientDataJSON: Base64url.max(4_000),
    authenticatorData: Base64url.max(4_000),
    signature: Base64url.max(8_000),
    userHandle: Base64url.max(100).optional(),
  })
  .openapi('PasskeyAssertion')
export type PasskeyAssertion = z.infer<typeof PasskeyAssertion>
