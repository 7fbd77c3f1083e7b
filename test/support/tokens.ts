import { env } from 'cloudflare:workers'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Role } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { declaredScopes } from '../../src/platform/security/scopes.ts'
import { ACCESS_TOKEN_LIFE_MS, type KeySource } from '../../src/platform/security/tokens.ts'
import { BASE_URL } from './client.ts'

const KEY_ID = 'key-of-the-tests'
const trusted = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
const foreign = await generateKeyPair('EdDSA', { crv: 'Ed25519' })

/**
 * Stores the public key that verifies `mint` tokens. Call this before any token is verified, because the Worker then
 * remembers the keys. The key has just expired: its signatures are still accepted, but the Worker creates another key
 * to sign with.
 */
export async function trustTestKey(): Promise<void> {
  const publicKey = JSON.stringify(await exportJWK(trusted.publicKey))
  await env.DIRECTORY.prepare(
    'INSERT INTO jwks (id, public_key, private_key, created_at, expires_at) VALUES (?, ?, ?, 0, ?)',
  )
    .bind(KEY_ID, publicKey, 'unused', Date.now() - 1_000)
    .run()
}

/** Publishes the key that verifies `mint` tokens, for apps that do not read keys from the directory. */
export const testKeys: KeySource = async () => ({
  keys: [{ ...(await exportJWK(trusted.publicKey)), kid: KEY_ID, alg: 'EdDSA', use: 'sig' }],
})

type Options = {
  role?: Role
  without?: string
  audience?: string
  age?: number
  forged?: boolean
  sessionId?: string
  /** The app of another developer to which the token belongs. */
  clientId?: string
}

/** An access token, `age` seconds old. Only a `sessionId` of `insertLogin` counts as a fresh login. */
export function mint(
  accountId: Id,
  { role = 'user', without, audience, age = 0, forged, sessionId = crypto.randomUUID(), clientId }: Options = {},
): Promise<string> {
  const issuedAt = Math.floor(Date.now() / 1_000) - age
  const scope = [...declaredScopes().keys()].filter((name) => name !== without).join(' ')
  return new SignJWT({ role, scope, sid: sessionId, client_id: clientId })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: KEY_ID })
    .setSubject(accountId)
    .setIssuer(`${BASE_URL}/auth`)
    .setAudience(audience ?? `${BASE_URL}/v1`)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ACCESS_TOKEN_LIFE_MS / 1_000)
    .sign(forged ? foreign.privateKey : trusted.privateKey)
}
