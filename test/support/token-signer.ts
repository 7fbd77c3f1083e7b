import { env } from 'cloudflare:workers'
import { symmetricDecrypt } from 'better-auth/crypto'
import { base64url, CompactSign, importJWK, type JWK, SignJWT } from 'jose'
import type { RegisteredUser } from './actors.ts'

export type Part = Record<string, unknown>
type Key = CryptoKey | Uint8Array

const decode = (part: string): Part => JSON.parse(new TextDecoder().decode(base64url.decode(part)))
export const encode = (part: unknown): string =>
  base64url.encode(typeof part === 'string' ? part : JSON.stringify(part))
export const without = (part: Part, name: string): Part =>
  Object.fromEntries(Object.entries(part).filter(([key]) => key !== name))
export const seconds = (): number => Math.floor(Date.now() / 1_000)

/** Signs variants of the access token of a user with the key of the Worker. */
export async function signerFor(user: RegisteredUser) {
  const [header, claims] = user.token.split('.').slice(0, 2).map(decode) as [Part, Part]
  const row = await env.DIRECTORY.prepare('select public_key, private_key from jwks where id = ?')
    .bind(header.kid)
    .first<{ public_key: string; private_key: string }>()
  const publicKey: JWK = JSON.parse(row!.public_key)
  const sealed = { key: 'a-secret-of-the-tests-that-is-long-enough', data: JSON.parse(row!.private_key) }
  const privateKey = (await importJWK(JSON.parse(await symmetricDecrypt(sealed)), 'EdDSA')) as CryptoKey

  /** `undefined` removes a claim or a parameter of the header. */
  const signed = (key: Key, claimChanges: Part, headerChanges: Part): Promise<string> =>
    new SignJWT({ ...claims, ...claimChanges })
      .setProtectedHeader({ ...header, ...headerChanges } as { alg: string })
      .sign(key, { crit: { odd: true } })
  return {
    user,
    header,
    claims,
    publicKey,
    signed,
    /** A copy of the valid token with these changes, signed with the real key. */
    changed: (claimChanges: Part = {}, headerChanges: Part = {}) => signed(privateKey, claimChanges, headerChanges),
    /** A payload that need not be JSON, signed with the real key. */
    ofPayload: (payload: string, headerChanges: Part = {}) =>
      new CompactSign(new TextEncoder().encode(payload))
        .setProtectedHeader({ ...header, ...headerChanges } as { alg: string })
        .sign(privateKey),
    unsigned: (head: Part, signature = '') => `${encode(head)}.${encode(claims)}.${signature}`,
    /** The three parts of the valid token. */
    parts: user.token.split('.') as [string, string, string],
  }
}
export type Signer = Awaited<ReturnType<typeof signerFor>>
