import { z } from '@hono/zod-openapi'
import { eq } from 'drizzle-orm'
import type { UserCtx } from '../../../platform/context.ts'
import { atPrimary } from '../../../platform/data/databases.ts'
import { invalid } from '../../../platform/failures.ts'
import { CredentialType, PasskeyDescriptor } from '../../../platform/http/second-factor.ts'
import { CHALLENGE_MINUTES } from '../lifetimes.ts'
import { handles } from '../tables.ts'
import { ChallengeToken, newChallenge, signedBy } from './challenges.ts'
import { passkeys } from './factor-tables.ts'
import { userHandleOf } from './passkey-assertions.ts'
import { Base64url, relyingParty } from './passkey-options.ts'

/** EdDSA, ES256 and RS256 (COSE). */
const ALGORITHMS = [-8, -7, -257]

const RelyingParty = z
  .object({ id: z.string(), name: z.string() })
  .openapi('PasskeyRelyingParty', { example: { id: 'social.example', name: 'SocialConnect' } })
const User = z
  .object({ id: z.string(), name: z.string(), displayName: z.string() })
  .openapi('PasskeyUser', { example: { id: 'MTk3MDMyNDgzNjk3NDU5Mw', name: 'ada', displayName: '@ada' } })
const Algorithm = z.object({ type: CredentialType, alg: z.int() }).openapi('PasskeyAlgorithm', { example: { alg: -7 } })
const Selection = z
  .object({
    residentKey: z.literal('required'),
    requireResidentKey: z.boolean(),
    userVerification: z.literal('required'),
  })
  .openapi('PasskeySelection', {
    example: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
  })

/** The options of `navigator.credentials.create`, as JSON (WebAuthn, level 3, section 5.1). */
const PasskeyCreation = z
  .object({
    challenge: z.string(),
    rp: RelyingParty,
    user: User,
    pubKeyCredParams: z.array(Algorithm),
    timeout: z.int().openapi({ description: 'Milliseconds' }),
    attestation: z.literal('none'),
    authenticatorSelection: Selection,
    excludeCredentials: z.array(PasskeyDescriptor),
  })
  .openapi('PasskeyCreation', {
    example: {
      challenge: 'cL0c3nUe8vZ6yTjW4mRbX1sKdG7hPfA9oEiN2uCtVxY',
      timeout: 300_000,
    },
  })

export const PasskeyCreationChallenge = z
  .object({ challenge: ChallengeToken, options: PasskeyCreation })
  .openapi('PasskeyCreationChallenge', {
    example: { challenge: '1b4e28ba.1970324836974593:.1893456000000.qL0c3nUe8vZ6yTjW' },
  })
type PasskeyCreationChallenge = z.infer<typeof PasskeyCreationChallenge>

export async function startPasskey(ctx: UserCtx): Promise<PasskeyCreationChallenge> {
  const accountId = ctx.viewer.id
  const db = atPrimary(ctx).directory
  const [[owner], known] = await db.batch([
    db.select({ handle: handles.handle }).from(handles).where(eq(handles.accountId, accountId)),
    db.select({ id: passkeys.credentialId }).from(passkeys).where(eq(passkeys.accountId, accountId)),
  ])
  const name = owner?.handle ?? ''
  const challenge = await newChallenge(ctx, 'new passkey', ownLogin(ctx))
  const options = {
    challenge: await signedBy(challenge),
    rp: { id: relyingParty(ctx).rpId, name: 'SocialConnect' },
    user: { id: userHandleOf(accountId), name, displayName: `@${name}` },
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key' as const, alg })),
    timeout: CHALLENGE_MINUTES * 60_000,
    attestation: 'none' as const,
    authenticatorSelection: {
      residentKey: 'required' as const,
      requireResidentKey: true,
      userVerification: 'required' as const,
    },
    excludeCredentials: known.map(({ id }) => ({ type: 'public-key' as const, id })),
  }
  return { challenge, options }
}

/** The subject of challenges that only this login may use. */
export function ownLogin({ viewer }: UserCtx): string {
  return `${viewer.id}:${viewer.sessionId}`
}

/** The parts of the result of `navigator.credentials.create`. */
export const PasskeyCredential = z
  .strictObject({
    id: Base64url.max(1_400).openapi({ description: 'The id of the credential' }),
    clientDataJSON: Base64url.max(4_000),
    attestationObject: Base64url.max(20_000),
  })
  .openapi('PasskeyCredential')
type PasskeyCredential = z.infer<typeof PasskeyCredential>

/** Throws `invalid` unless an authenticator made the passkey for this site and challenge, with user verification. */
export async function verifiedPasskey(ctx: UserCtx, { id, ...response }: PasskeyCredential, token: string) {
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server')
  const { rpId, origin } = relyingParty(ctx)
  const verified = await verifyRegistrationResponse({
    response: { id, rawId: id, type: 'public-key', response, clientExtensionResults: {} },
    expectedChallenge: await signedBy(token),
    expectedOrigin: origin,
    expectedRPID: rpId,
    supportedAlgorithmIDs: ALGORITHMS,
  }).catch((error: unknown) => {
    ctx.log.info('a new passkey was refused', { error })
    return null
  })
  const credential = verified?.registrationInfo?.credential
  if (!credential) throw invalid('passkey', 'was not made for this page and challenge, or without verifying the user')
  const publicKey = credential.publicKey.toBase64({ alphabet: 'base64url', omitPadding: true })
  return { credentialId: credential.id, publicKey, signCount: credential.counter }
}
