import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import type { Id } from '../../src/platform/data/ids.ts'

const baseUrl = 'https://bench.internal'
const kid = 'bench'
const scope =
  'accounts:read accounts:write posts:read posts:write notifications:read notifications:write realtime messages:read messages:write insights:read'

/** A public key, and a function that signs access tokens like those of the identity service with the private key. */
export type Tokens = { baseUrl: string; jwks: { keys: JWK[] }; tokenOf: (accountId: Id) => Promise<string> }

export async function makeTokens(): Promise<Tokens> {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'EdDSA', use: 'sig' }
  const tokenOf = (accountId: Id) =>
    new SignJWT({ role: 'user', scope, sid: `session-${accountId}` })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
      .setSubject(accountId)
      .setIssuer(`${baseUrl}/auth`)
      .setAudience(`${baseUrl}/v1`)
      .setIssuedAt()
      .setExpirationTime('2h')
      .sign(privateKey)
  return { baseUrl, jwks: { keys: [jwk] }, tokenOf }
}
