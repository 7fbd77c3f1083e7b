import { env, exports } from 'cloudflare:workers'
import { symmetricDecrypt } from 'better-auth/crypto'
import { base64url, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import { addressLimit } from '../../../src/platform/security/rate-limit.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { statusWith } from '../../support/auth.ts'
import { anonymousClient, BASE_URL } from '../../support/client.ts'
import { useUp } from '../../support/rate-limits.ts'

type Part = Record<string, unknown>

let ada: RegisteredUser
let header: Part
let claims: Part
let publicKey: JWK
let privateKey: CryptoKey

beforeAll(async () => {
  ada = await registeredUser()
  ;[header, claims] = ada.token.split('.').slice(0, 2).map(decode) as [Part, Part]
  const row = await env.DIRECTORY.prepare('select public_key, private_key from jwks where id = ?')
    .bind(header.kid)
    .first<{ public_key: string; private_key: string }>()
  publicKey = JSON.parse(row!.public_key)
  const sealed = { key: 'a-secret-of-the-tests-that-is-long-enough', data: JSON.parse(row!.private_key) }
  privateKey = (await importJWK(JSON.parse(await symmetricDecrypt(sealed)), 'EdDSA')) as CryptoKey
})

const decode = (part: string): Part => JSON.parse(new TextDecoder().decode(base64url.decode(part)))
const encode = (part: unknown) => base64url.encode(JSON.stringify(part))
const without = (part: Part, name: string) => Object.fromEntries(Object.entries(part).filter(([key]) => key !== name))

/** A copy of a valid token with these changes, signed with the real signing key. `undefined` removes a claim. */
const changed = (claims: Part = {}, header: Part = {}) => signed(privateKey, claims, header)

async function signed(key: CryptoKey | Uint8Array, claimChanges: Part, headerChanges: Part): Promise<string> {
  const signer = new SignJWT({ ...claims, ...claimChanges })
  return signer
    .setProtectedHeader({ ...header, ...headerChanges } as { alg: string })
    .sign(key, { crit: { odd: true } })
}

const now = () => Math.floor(Date.now() / 1_000)
const secret = (text: string) => new TextEncoder().encode(text)
const foreignKey = async (alg: string) => (await generateKeyPair(alg, { extractable: true })).privateKey
const unsigned = (header: Part, signature = '') => `${encode(header)}.${encode(claims)}.${signature}`

// Each forgery below differs from this token by one fault only, so this token itself must be accepted.
test('a token signed without changes is accepted, lives ten minutes and has exactly the expected claims', async () => {
  expect(await statusWith(await changed())).toBe(200)
  expect(header).toMatchObject({ typ: 'at+jwt', alg: 'EdDSA' })
  expect(claims).toMatchObject({
    iss: 'http://127.0.0.1:8787/auth',
    aud: 'http://127.0.0.1:8787/v1',
    sub: ada.id,
    role: 'user',
  })
  expect((claims.exp as number) - (claims.iat as number)).toBe(600)
  expect(Object.keys(claims).sort()).toEqual([
    'aud',
    'azp',
    'client_id',
    'exp',
    'iat',
    'iss',
    'jti',
    'role',
    'scope',
    'sid',
    'sub',
  ])
})

const forgeries: Record<string, () => string | Promise<string>> = {
  'without a signature': () => unsigned(header),
  'alg none': () => unsigned({ ...header, alg: 'none' }),
  'alg None': () => unsigned({ ...header, alg: 'None' }),
  'alg NONE, no kid': () => unsigned({ ...without(header, 'kid'), alg: 'NONE' }, 'AAAA'),
  'alg missing': () => unsigned(without(header, 'alg'), 'AAAA'),
  'alg null': () => unsigned({ ...header, alg: null }, 'AAAA'),
  'alg none with a valid signature': () => unsigned({ ...header, alg: 'none' }, ada.token.split('.')[2]),
  'HS256 keyed with the public key': () => signed(base64url.decode(publicKey.x!), {}, { alg: 'HS256' }),
  'HS256 keyed with the text of the public key': () => signed(secret(publicKey.x!), {}, { alg: 'HS256' }),
  'HS256 keyed with the public JWK': () => signed(secret(JSON.stringify(publicKey)), {}, { alg: 'HS256' }),
  'HS512 keyed with the public key': () => signed(base64url.decode(publicKey.x! + publicKey.x!), {}, { alg: 'HS512' }),
  'HS256 keyed with zeros': () => signed(secret('\0'.repeat(32)), {}, { alg: 'HS256' }),
  'RS256 by another key': async () => signed(await foreignKey('RS256'), {}, { alg: 'RS256' }),
  'PS256 by another key': async () => signed(await foreignKey('PS256'), {}, { alg: 'PS256' }),
  'ES256 by another key': async () => signed(await foreignKey('ES256'), {}, { alg: 'ES256' }),
  'EdDSA by another key': async () => signed(await foreignKey('EdDSA'), {}, {}),
  'another key, embedded in the header': async () =>
    signed(await foreignKey('EdDSA'), {}, { jwk: { ...publicKey, x: 'A'.repeat(43) } }),
  'another key, at a jku URL': async () => signed(await foreignKey('EdDSA'), {}, { jku: 'https://evil.example/jwks' }),
  'another key, at an x5u URL': async () => signed(await foreignKey('EdDSA'), {}, { x5u: 'https://evil.example/x5u' }),
  'an unknown kid': () => changed({}, { kid: 'unknown' }),
  'a kid that is a path': () => changed({}, { kid: '../../dev/null' }),
  'a kid that is SQL': () => changed({}, { kid: "x' or '1'='1" }),
  'typ JWT': () => changed({}, { typ: 'JWT' }),
  'typ of a logout token': () => changed({}, { typ: 'logout+jwt' }),
  'typ missing': () => changed({}, { typ: undefined }),
  'an unknown critical extension': () => changed({}, { crit: ['odd'], odd: true }),
  'an id token': () => changed({ aud: 'socialconnect', nonce: 'n', scope: undefined, role: undefined }, { typ: 'JWT' }),
  'an id token typed as an access token': () => changed({ aud: 'socialconnect', nonce: 'n' }),
  'another issuer': () => changed({ iss: 'https://evil.example/auth' }),
  'an issuer with a trailing slash': () => changed({ iss: 'http://127.0.0.1:8787/auth/' }),
  'no issuer': () => changed({ iss: undefined }),
  'a list of issuers': () => changed({ iss: ['http://127.0.0.1:8787/auth'] }),
  'another audience': () => changed({ aud: 'https://other.example/v1' }),
  'the origin of the API as the audience': () => changed({ aud: 'http://127.0.0.1:8787' }),
  'no audience': () => changed({ aud: undefined }),
  'a list of other audiences': () => changed({ aud: ['https://a.example', 'https://b.example'] }),
  'an expiry in the past': () => changed({ exp: now() - 1 }),
  'no expiry': () => changed({ exp: undefined }),
  'an expiry that is text': () => changed({ exp: '2099-01-01' as unknown as number }),
  'a not-before time in the future': () => changed({ nbf: now() + 60 }),
  'no time of issue': () => changed({ iat: undefined }),
  'no subject': () => changed({ sub: undefined }),
  'a subject that is not an id': () => changed({ sub: 'ada' }),
  'a subject beyond 53 bits': () => changed({ sub: '9007199254740993' }),
  'an unknown role': () => changed({ role: 'superadmin' }),
  'no role': () => changed({ role: undefined }),
  'a list of roles': () => changed({ role: ['user', 'admin'] }),
  'no scope': () => changed({ scope: undefined }),
  'scopes as a list': () => changed({ scope: ['posts:read'] }),
  'no session': () => changed({ sid: undefined }),
  'an altered payload': () =>
    [...ada.token.split('.').slice(0, 1), encode({ ...claims, role: 'admin' }), ada.token.split('.')[2]].join('.'),
  'an altered header': () => [encode({ ...header, x: 1 }), ...ada.token.split('.').slice(1)].join('.'),
  'the signature of another token': async () =>
    [...ada.token.split('.').slice(0, 2), (await changed({ jti: 'other' })).split('.')[2]].join('.'),
  'a truncated signature': () => ada.token.slice(0, -4),
  'a fourth part': () => `${ada.token}.${ada.token.split('.')[2]}`,
  'a refresh token': () => ada.refreshToken,
  'text that is not a token': () => 'A'.repeat(64),
}

test.each(Object.entries(forgeries))('a forged or misused token returns 401 invalid_token: %s', async (_, forge) => {
  const headers = { authorization: `Bearer ${await forge()}` }
  const response = await anonymousClient().fetch('/v1/accounts/me', { headers })
  expect(response.status).toBe(401)
  expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
  expect(await response.json()).toMatchObject({ code: 'unauthorized' })
})

test('a token is accepted only with the Authorization scheme Bearer, which is case-insensitive', async () => {
  const user = await registeredUser()
  const statusOf = async (authorization: string) =>
    (await anonymousClient().fetch('/v1/accounts/me', { headers: { authorization } })).status
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) expect(await statusOf(`${scheme} ${user.token}`)).toBe(200)
  for (const scheme of ['Digest', 'Bearer ', 'Bearer:', 'Basics', '']) {
    expect(await statusOf(`${scheme} ${user.token}`), scheme).toBe(401)
  }
})

test('a flood of forged or expired tokens is refused with 429, and valid tokens of the same address still pass', async () => {
  const address = '192.0.2.77'
  await useUp(addressLimit, address)
  const statusOf = async (token: string) => {
    const headers = { authorization: `Bearer ${token}`, 'cf-connecting-ip': address }
    return (await exports.default.fetch(`${BASE_URL}/v1/accounts/me`, { headers })).status
  }
  expect(await statusOf(await changed({ exp: now() - 1 }))).toBe(429)
  expect(await statusOf('A'.repeat(64))).toBe(429)
  expect(await statusOf(await changed({ jti: 'never verified before' }))).toBe(200)
})
