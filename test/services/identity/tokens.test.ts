import { env } from 'cloudflare:workers'
import { symmetricDecrypt } from 'better-auth/crypto'
import { base64url, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import { type Person, register, stranger } from '../../support/people.ts'

type Part = Record<string, unknown>

let ada: Person
let header: Part
let claims: Part
let publicKey: JWK
let privateKey: CryptoKey

beforeAll(async () => {
  ada = await register()
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

/** A token by our own key, right but for what is given; `undefined` leaves a claim out. */
const ours = (change: Part = {}, head: Part = {}) => signed(privateKey, change, head)

async function signed(key: CryptoKey | Uint8Array, change: Part, head: Part): Promise<string> {
  const signer = new SignJWT({ ...claims, ...change })
  return signer.setProtectedHeader({ ...header, ...head } as { alg: string }).sign(key, { crit: { odd: true } })
}

const statusOf = async (token: string) => {
  const headers = { authorization: `Bearer ${token}` }
  return (await stranger().fetch('/v1/accounts/me', { headers })).status
}

const now = () => Math.floor(Date.now() / 1_000)
const secret = (text: string) => new TextEncoder().encode(text)
const strangers = async (alg: string) => (await generateKeyPair(alg, { extractable: true })).privateKey
const unsigned = (head: Part, signature = '') => `${encode(head)}.${encode(claims)}.${signature}`
const [, , signature] = ['', '', 'AAAA']

test('a token made by this test as we make them is accepted, so that what is refused is refused for its fault', async () => {
  expect(await statusOf(await ours())).toBe(200)
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
  'alg NONE, no kid': () => unsigned({ ...without(header, 'kid'), alg: 'NONE' }, signature),
  'alg missing': () => unsigned(without(header, 'alg'), signature),
  'alg null': () => unsigned({ ...header, alg: null }, signature),
  'alg none with our signature': () => unsigned({ ...header, alg: 'none' }, ada.token.split('.')[2]),
  'HS256 by the public key': () => signed(base64url.decode(publicKey.x!), {}, { alg: 'HS256' }),
  'HS256 by the text of the public key': () => signed(secret(publicKey.x!), {}, { alg: 'HS256' }),
  'HS256 by the public JWK': () => signed(secret(JSON.stringify(publicKey)), {}, { alg: 'HS256' }),
  'HS512 by the public key': () => signed(base64url.decode(publicKey.x! + publicKey.x!), {}, { alg: 'HS512' }),
  'HS256 by nothing much': () => signed(secret('\0'.repeat(32)), {}, { alg: 'HS256' }),
  'RS256 by another key': async () => signed(await strangers('RS256'), {}, { alg: 'RS256' }),
  'PS256 by another key': async () => signed(await strangers('PS256'), {}, { alg: 'PS256' }),
  'ES256 by another key': async () => signed(await strangers('ES256'), {}, { alg: 'ES256' }),
  'EdDSA by another key': async () => signed(await strangers('EdDSA'), {}, {}),
  'another key, given along': async () =>
    signed(await strangers('EdDSA'), {}, { jwk: { ...publicKey, x: 'A'.repeat(43) } }),
  'another key, by jku': async () => signed(await strangers('EdDSA'), {}, { jku: 'https://evil.example/jwks' }),
  'another key, by x5u': async () => signed(await strangers('EdDSA'), {}, { x5u: 'https://evil.example/x5u' }),
  'an unknown kid': () => ours({}, { kid: 'unknown' }),
  'a kid that is a path': () => ours({}, { kid: '../../dev/null' }),
  'a kid that is SQL': () => ours({}, { kid: "x' or '1'='1" }),
  'typ JWT': () => ours({}, { typ: 'JWT' }),
  'typ of a logout token': () => ours({}, { typ: 'logout+jwt' }),
  'typ missing': () => ours({}, { typ: undefined }),
  'an extension that must be understood': () => ours({}, { crit: ['odd'], odd: true }),
  'an id token': () => ours({ aud: 'socialconnect', nonce: 'n', scope: undefined, role: undefined }, { typ: 'JWT' }),
  'an id token that says it is an access token': () => ours({ aud: 'socialconnect', nonce: 'n' }),
  'another issuer': () => ours({ iss: 'https://evil.example/auth' }),
  'an issuer with a slash more': () => ours({ iss: 'http://127.0.0.1:8787/auth/' }),
  'no issuer': () => ours({ iss: undefined }),
  issuers: () => ours({ iss: ['http://127.0.0.1:8787/auth'] }),
  'another audience': () => ours({ aud: 'https://other.example/v1' }),
  'the audience’s origin': () => ours({ aud: 'http://127.0.0.1:8787' }),
  'no audience': () => ours({ aud: undefined }),
  'other audiences': () => ours({ aud: ['https://a.example', 'https://b.example'] }),
  'an end in the past': () => ours({ exp: now() - 1 }),
  'no end': () => ours({ exp: undefined }),
  'an end that is text': () => ours({ exp: '2099-01-01' as unknown as number }),
  'a beginning in the future': () => ours({ nbf: now() + 60 }),
  'no time of issue': () => ours({ iat: undefined }),
  'no subject': () => ours({ sub: undefined }),
  'a subject that is no id': () => ours({ sub: 'ada' }),
  'a subject beyond 53 bits': () => ours({ sub: '9007199254740993' }),
  'an unheard-of role': () => ours({ role: 'superadmin' }),
  'no role': () => ours({ role: undefined }),
  roles: () => ours({ role: ['user', 'admin'] }),
  'no scope': () => ours({ scope: undefined }),
  'scopes as a list': () => ours({ scope: ['posts:read'] }),
  'no session': () => ours({ sid: undefined }),
  'an altered payload': () =>
    [...ada.token.split('.').slice(0, 1), encode({ ...claims, role: 'admin' }), ada.token.split('.')[2]].join('.'),
  'an altered header': () => [encode({ ...header, x: 1 }), ...ada.token.split('.').slice(1)].join('.'),
  'the signature of another token': async () =>
    [...ada.token.split('.').slice(0, 2), (await ours({ jti: 'other' })).split('.')[2]].join('.'),
  'a signature cut short': () => ada.token.slice(0, -4),
  'a part more': () => `${ada.token}.${ada.token.split('.')[2]}`,
  'a refresh token': () => ada.refreshToken,
  'not a token': () => 'A'.repeat(64),
}

test.each(Object.entries(forgeries))('a token is refused that has or is: %s', async (_, forge) => {
  const headers = { authorization: `Bearer ${await forge()}` }
  const response = await stranger().fetch('/v1/accounts/me', { headers })
  expect(response.status).toBe(401)
  expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
  expect(await response.json()).toMatchObject({ code: 'unauthorized' })
})

test('a token that is remembered counts after its own scheme alone, whatever the case', async () => {
  const person = await register()
  const statusOf = async (authorization: string) =>
    (await stranger().fetch('/v1/accounts/me', { headers: { authorization } })).status
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) expect(await statusOf(`${scheme} ${person.token}`)).toBe(200)
  for (const scheme of ['Digest', 'Bearer ', 'Bearer:', 'Basics', '']) {
    expect(await statusOf(`${scheme} ${person.token}`), scheme).toBe(401)
  }
})
