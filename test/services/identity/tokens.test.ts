import { exports } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { addressLimit } from '../../../src/platform/security/rate-limit.ts'
import { registeredUser } from '../../support/actors.ts'
import { statusWith } from '../../support/auth.ts'
import { anonymousClient, BASE_URL } from '../../support/client.ts'
import { useUp } from '../../support/rate-limits.ts'
import { type Signer, seconds, signerFor } from '../../support/token-signer.ts'

let signer: Signer

beforeAll(async () => {
  signer = await signerFor(await registeredUser())
})

// Each forgery of token-forgery.test.ts differs from this token by one fault only, so this token itself must be accepted.
test('a token signed without changes is accepted, lives an hour and has exactly the expected claims', async () => {
  const { header, claims, user, changed } = signer
  expect(await statusWith(await changed())).toBe(200)
  expect(header).toMatchObject({ typ: 'at+jwt', alg: 'EdDSA' })
  expect(claims).toMatchObject({
    iss: 'http://127.0.0.1:8787/auth',
    aud: 'http://127.0.0.1:8787/v1',
    sub: user.id,
    role: 'user',
  })
  expect((claims.exp as number) - (claims.iat as number)).toBe(3_600)
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

test('variants that mean the same are accepted: types in other case or in full, further claims, several audiences', async () => {
  const { changed, claims } = signer
  for (const typ of ['AT+JWT', 'application/at+jwt'])
    expect(await statusWith(await changed({}, { typ })), typ).toBe(200)
  expect(await statusWith(await changed({ nbf: seconds() - 1, extra: { is: 'ignored' } }))).toBe(200)
  expect(await statusWith(await changed({ aud: [claims.aud, 'https://other.example'] }))).toBe(200)
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
  expect(await statusOf(await signer.changed({ exp: seconds() - 1 }))).toBe(429)
  expect(await statusOf('A'.repeat(64))).toBe(429)
  expect(await statusOf(await signer.changed({ jti: 'never verified before' }))).toBe(200)
})
