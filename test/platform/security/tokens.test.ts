import { CompactSign, exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { toId } from '../../../src/platform/data/ids.ts'
import { jwtAudience, jwtIssuer, rememberedViewer, verifyAccessToken } from '../../../src/platform/security/tokens.ts'
import { contextWith } from '../../support/platform.ts'

const current = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
const next = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
const foreign = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true })
const elliptic = await generateKeyPair('ES256', { extractable: true })
const rsa = await generateKeyPair('RS256', { extractable: true })
const publicJwk = { ...(await exportJWK(current.publicKey)), kid: 'k1', alg: 'EdDSA', use: 'sig' }
const nextJwk = { ...(await exportJWK(next.publicKey)), kid: 'k2', alg: 'EdDSA', use: 'sig' }

const ctx = contextWith({ BASE_URL: 'https://social.example' })
let clock = Date.UTC(2026, 0, 1)
ctx.now = () => clock
const seconds = () => Math.floor(clock / 1_000)
// Keys of other algorithms are published too, so that their tokens can be refused only because of the algorithm.
const otherKinds = [
  { ...(await exportJWK(elliptic.publicKey)), kid: 'es', alg: 'ES256' },
  { ...(await exportJWK(rsa.publicKey)), kid: 'rs', alg: 'RS256' },
]
const source = vi.fn(async () => ({ keys: [publicJwk, ...otherKinds] }))

beforeEach(() => {
  clock += 3_600_000
  source.mockClear()
})
afterEach(() => vi.restoreAllMocks())

const header = { alg: 'EdDSA', typ: 'at+jwt', kid: 'k1' }
const claims = () => ({
  iss: 'https://social.example/auth',
  aud: 'https://social.example/v1',
  sub: '1970324836974593',
  role: 'user',
  scope: 'posts:read posts:write',
  sid: 'login 1',
  iat: seconds(),
  exp: seconds() + 600,
})
type Parts = { header?: Record<string, unknown>; claims?: Record<string, unknown>; key?: CryptoKey | Uint8Array }

/** A valid token with these parts replaced. */
function token({ header: headerPart, claims: claimsPart, key = current.privateKey }: Parts = {}): Promise<string> {
  const all = { ...header, ...headerPart } as JWTHeaderParameters
  return new SignJWT({ ...claims(), ...claimsPart }).setProtectedHeader(all).sign(key)
}

const verify = async (text: string) => rememberedViewer(ctx, text) ?? verifyAccessToken(ctx, text, source)
const encode = (value: unknown) =>
  btoa(JSON.stringify(value)).replaceAll('=', '').replaceAll('+', '-').replaceAll('/', '_')

test('a valid token identifies the viewer, and the keys are read once', async () => {
  expect([jwtAudience(ctx), jwtIssuer(ctx)]).toEqual(['https://social.example/v1', 'https://social.example/auth'])
  expect(await verify(await token())).toEqual({
    id: toId(1970324836974593),
    role: 'user',
    scopes: new Set(['posts:read', 'posts:write']),
    sessionId: 'login 1',
    issuedAt: seconds() * 1_000,
  })
  await verify(await token({ claims: { sid: 'login 2' } }))
  expect(source.mock.calls.length).toBeLessThanOrEqual(1)
})

test('a token expires at its expiry, even when it was verified before', async () => {
  const text = await token()
  await verify(text)
  clock += 599_000
  expect((await verify(text)).sessionId).toBe('login 1')
  clock += 2_000
  const expired = { code: 'unauthorized', detail: 'The token has expired' }
  await expect(verify(text)).rejects.toMatchObject(expired)
})

test('forged, misused and damaged tokens are refused', async () => {
  const good = await token()
  const [head, body, signature] = good.split('.') as [string, string, string]
  const modulus = new TextEncoder().encode(publicJwk.x)
  const raw = Uint8Array.fromBase64(publicJwk.x!, { alphabet: 'base64url' })
  const pem = new TextEncoder().encode(JSON.stringify(publicJwk))
  const withClaims = (claims: Record<string, unknown>) => token({ claims })
  const withHeader = (header: Record<string, unknown>) => token({ header })
  const signed = (header: Record<string, unknown>) => {
    const options = { crit: { x: false } }
    return new CompactSign(new TextEncoder().encode(JSON.stringify(claims())))
      .setProtectedHeader(header as never)
      .sign(current.privateKey, options)
  }
  const admin = encode({ ...claims(), role: 'admin' })

  const forged: Record<string, string | Promise<string>> = {
    'no signature': new UnsecuredJWT(claims()).encode(),
    'alg none': `${encode({ ...header, alg: 'none' })}.${body}.`,
    'alg None': `${encode({ ...header, alg: 'None' })}.${body}.`,
    'alg NONE with a signature': `${encode({ ...header, alg: 'NONE' })}.${body}.${signature}`,
    'no alg': `${encode({ typ: 'at+jwt', kid: 'k1' })}.${body}.${signature}`,
    'HS256 by the public key': token({ header: { alg: 'HS256' }, key: modulus }),
    'HS256 by the raw public key': token({ header: { alg: 'HS256' }, key: raw }),
    'HS512 by the key set': token({ header: { alg: 'HS512' }, key: pem }),
    ES256: token({ header: { alg: 'ES256', kid: 'es' }, key: elliptic.privateKey }),
    RS256: token({ header: { alg: 'RS256', kid: 'rs' }, key: rsa.privateKey }),
    PS256: `${encode({ ...header, alg: 'PS256' })}.${body}.${signature}`,
    'signed by another key': token({ key: foreign.privateKey }),
    'unknown key id': withHeader({ kid: 'k9' }),
    'key id of a path': withHeader({ kid: '../../k1' }),
    'key id of SQL': withHeader({ kid: "k1' or '1" }),
    'embedded key': exportJWK(foreign.publicKey).then((jwk) => token({ header: { jwk }, key: foreign.privateKey })),
    'embedded key, own id': exportJWK(foreign.publicKey).then((jwk) =>
      token({ header: { jwk, kid: 'k9' }, key: foreign.privateKey }),
    ),
    'key from elsewhere': token({ header: { jku: 'https://evil.example/keys' }, key: foreign.privateKey }),
    'certificate from elsewhere': token({ header: { x5u: 'https://evil.example/cert' }, key: foreign.privateKey }),
    'unknown critical header': signed({ ...header, crit: ['x'], x: 1 }),
    'an id token': withHeader({ typ: 'JWT' }),
    'no type': withHeader({ typ: undefined }),
    'a refresh token': withHeader({ typ: 'refresh+jwt' }),
    'a logout token': withHeader({ typ: 'logout+jwt' }),
    'another issuer': withClaims({ iss: 'https://evil.example/auth' }),
    'issuer with a slash': withClaims({ iss: 'https://social.example/auth/' }),
    'no issuer': withClaims({ iss: undefined }),
    'another audience': withClaims({ aud: 'https://other.example/v1' }),
    'our host as audience': withClaims({ aud: 'https://social.example' }),
    'a client as audience': withClaims({ aud: 'client' }),
    'no audience': withClaims({ aud: undefined }),
    expired: withClaims({ iat: seconds() - 700, exp: seconds() - 1 }),
    'expired this second': withClaims({ exp: seconds() }),
    'no expiry': withClaims({ exp: undefined }),
    'expiry in text': withClaims({ exp: 'tomorrow' }),
    'not yet valid': withClaims({ nbf: seconds() + 60 }),
    'no subject': withClaims({ sub: undefined }),
    'subject of another kind': withClaims({ sub: 'ada' }),
    'subject too large': withClaims({ sub: '9007199254740993' }),
    'subject of zero': withClaims({ sub: '0' }),
    'unknown role': withClaims({ role: 'root' }),
    'no role': withClaims({ role: undefined }),
    'several roles': withClaims({ role: ['user', 'admin'] }),
    'scope as a list': withClaims({ scope: ['posts:read'] }),
    'no session': withClaims({ sid: undefined }),
    'claims changed': `${head}.${admin}.${signature}`,
    'claims of another token': token().then((other) => `${head}.${admin}.${other.split('.')[2]}`),
    'signature cut': `${head}.${body}.${signature.slice(0, -2)}`,
    'signature changed': `${head}.${body}.${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`,
    'signature empty': `${head}.${body}.`,
    'signature of zeros': `${head}.${body}.${'A'.repeat(86)}`,
    'two parts': `${head}.${body}`,
    'five parts': `${head}.${body}.${signature}.${head}.${body}`,
    dots: '..',
    nothing: '',
    'not base64': `${head}.%%%.${signature}`,
    'header not JSON': `${encode('x').slice(0, 3)}.${body}.${signature}`,
    'claims not JSON': new CompactSign(new TextEncoder().encode('not json'))
      .setProtectedHeader(header)
      .sign(current.privateKey),
    'claims a list': new CompactSign(new TextEncoder().encode('[]'))
      .setProtectedHeader(header)
      .sign(current.privateKey),
  }
  expect(Object.keys(forged).length).toBeGreaterThanOrEqual(40)
  for (const [what, text] of Object.entries(forged)) {
    const verdict = await verify(await text).then(
      () => 'accepted',
      (error) => error.code,
    )
    expect(verdict, what).toBe('unauthorized')
  }
  expect((await verify(good)).role).toBe('user')
})

test('a refused token fails with the WWW-Authenticate challenge invalid_token', async () => {
  await expect(verify('x.y.z')).rejects.toMatchObject({
    extra: { headers: { 'www-authenticate': 'Bearer error="invalid_token"' } },
  })
})

test('a token with an unknown key id makes the keys be read again, at most once in five seconds', async () => {
  await verify(await token())
  source.mockClear()
  for (let i = 0; i < 20; i++) {
    await expect(verify(await token({ header: { kid: `unknown-${i}` } }))).rejects.toThrow()
  }
  expect(source.mock.calls.length).toBeLessThanOrEqual(1)
  source.mockResolvedValue({ keys: [publicJwk, nextJwk, ...otherKinds] })
  clock += 5_001
  const rotated = await token({ header: { kid: 'k2' }, key: next.privateKey })
  expect((await verify(rotated)).sessionId).toBe('login 1')
  expect((await verify(await token())).sessionId).toBe('login 1')
})

test('a withdrawn key is trusted for at most ten minutes, even for tokens that were verified before', async () => {
  source.mockResolvedValue({ keys: [publicJwk, nextJwk, ...otherKinds] })
  const stolen = await token({ claims: { exp: seconds() + 86_400 } })
  await verify(stolen)
  source.mockResolvedValue({ keys: [nextJwk, ...otherKinds] })
  clock += 599_000
  expect((await verify(stolen)).sessionId).toBe('login 1')
  clock += 1_001
  await expect(verify(stolen)).rejects.toMatchObject({ code: 'unauthorized' })
})

test('while the keys cannot be read, known keys stay valid, and reading is retried every five seconds', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  source.mockResolvedValue({ keys: [publicJwk, ...otherKinds] })
  await verify(await token())
  clock += 600_001
  source.mockClear()
  source.mockRejectedValue(new Error('D1_ERROR: overloaded'))
  for (let i = 0; i < 20; i++) expect((await verify(await token({ claims: { sid: `${i}` } }))).sessionId).toBe(`${i}`)
  expect(source).toHaveBeenCalledTimes(1)
  clock += 5_001
  source.mockResolvedValue({ keys: [nextJwk] })
  await expect(verify(await token())).rejects.toMatchObject({ code: 'unauthorized' })
})
