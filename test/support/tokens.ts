import { env } from 'cloudflare:workers'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Role } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { scopes } from '../../src/platform/security/access.ts'

const BASE_URL = 'http://127.0.0.1:8787'
const KEY_ID = 'key-of-the-tests'
const ours = await generateKeyPair('EdDSA', { crv: 'Ed25519' })
const somebodyElses = await generateKeyPair('EdDSA', { crv: 'Ed25519' })

/**
 * Publishes the key that `mint` signs with, beside the product's own. Call it before anything verifies a token. It has
 * just expired: it is still believed, and the product makes itself another to sign with.
 */
export async function trustTestKey(): Promise<void> {
  const publicKey = JSON.stringify(await exportJWK(ours.publicKey))
  await env.DIRECTORY.prepare(
    'INSERT INTO jwks (id, public_key, private_key, created_at, expires_at) VALUES (?, ?, ?, 0, ?)',
  )
    .bind(KEY_ID, publicKey, 'unused', Date.now() - 1_000)
    .run()
}

type Says = { role?: Role; without?: string; audience?: string; age?: number; forged?: boolean }

/** An access token for an account that need not have logged in; it lives ten minutes, of which `age` seconds are over. */
export function mint(accountId: Id, { role = 'user', without, audience, age = 0, forged }: Says = {}): Promise<string> {
  const issuedAt = Math.floor(Date.now() / 1_000) - age
  const scope = scopes.filter((name) => name !== without).join(' ')
  return new SignJWT({ role, scope, sid: crypto.randomUUID() })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: KEY_ID })
    .setSubject(accountId)
    .setIssuer(`${BASE_URL}/auth`)
    .setAudience(audience ?? `${BASE_URL}/v1`)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + 600)
    .sign(forged ? somebodyElses.privateKey : ours.privateKey)
}
