import { SignJWT, UnsecuredJWT } from 'jose'
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { newKey, type OidcProvider } from '../../support/oidc-provider.ts'
import { insertLink, problemOf, stored, withProvider } from '../../support/provider-logins.ts'

// Everything that a provider, or somebody who changes its answers, may do wrong. A login of a linked person would succeed.

let ada: RegisteredUser
beforeAll(async () => {
  ada = await registeredUser()
})
beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => {
  vi.restoreAllMocks()
})

type Fault = [name: string, arrange: (provider: OidcProvider) => void, code: string, text: RegExp]

const html = () => new Response('<h1>Hello</h1>', { headers: { 'content-type': 'text/html' } })
const redirect = () => new Response(null, { status: 302, headers: { location: 'https://evil.example.org/' } })
const refused = () => Promise.reject(new TypeError('Network connection lost'))
const huge = () => Response.json({ filler: 'x'.repeat(1_100_000) })
const now = () => Math.floor(Date.now() / 1_000)
const secretKey = ({ client }: OidcProvider) => new TextEncoder().encode(client.secret.padEnd(32))
const signedWithSecret = (provider: OidcProvider) => (claims: object) =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(secretKey(provider))
const unsigned = async (claims: object) => new UnsecuredJWT({ ...claims }).encode()

const discovery: Fault[] = [
  ['the provider is down', ({ faults }) => (faults.discovery = refused), 'unavailable', /did not respond/],
  [
    'discovery fails with 500',
    ({ faults }) => (faults.discovery = () => new Response('', { status: 500 })),
    'unavailable',
    /Local ID is unavailable/,
  ],
  ['discovery is a page', ({ faults }) => (faults.discovery = html), 'provider_failed', /content-type/],
  [
    'discovery is cut off',
    ({ faults }) =>
      (faults.discovery = () => new Response('{"iss', { headers: { 'content-type': 'application/json' } })),
    'provider_failed',
    /parse/,
  ],
  [
    'discovery redirects to another host',
    ({ faults }) => (faults.discovery = redirect),
    'provider_failed',
    /status code/,
  ],
  ['discovery is larger than 1 MiB', ({ faults }) => (faults.discovery = huge), 'unavailable', /1048576 bytes/],
  [
    'discovery names another issuer',
    ({ metadata }) => (metadata.issuer = 'https://evil.example.org'),
    'provider_failed',
    /issuer/,
  ],
  [
    'the login page has no address',
    ({ metadata }) => (metadata.authorization_endpoint = undefined),
    'provider_failed',
    /Local ID/,
  ],
  [
    'the login page is a script',
    ({ metadata }) => (metadata.authorization_endpoint = 'javascript:alert(1)'),
    'provider_failed',
    /Local ID/,
  ],
  [
    'the login page is this system itself',
    ({ metadata }) => (metadata.authorization_endpoint = 'http://127.0.0.1:8787/'),
    'provider_failed',
    /Local ID/,
  ],
]

test.each(discovery)('no login starts when %s', async (_, arrange, code, text) => {
  const { provider, post } = await withProvider()
  arrange(provider)
  const problem = await problemOf(await post(`/auth/providers/${provider.entry.id}/start`))
  expect(problem).toMatchObject({ code, text: expect.stringMatching(text) })
})

const answers: Fault[] = [
  ['the token endpoint is down', ({ faults }) => (faults.token = refused), 'unavailable', /did not respond/],
  [
    'the token endpoint fails with 500',
    ({ faults }) => (faults.token = () => new Response('', { status: 500 })),
    'unavailable',
    /Local ID is unavailable/,
  ],
  ['the token endpoint returns a page', ({ faults }) => (faults.token = html), 'provider_failed', /content-type/],
  ['the token endpoint redirects', ({ faults }) => (faults.token = redirect), 'provider_failed', /status code/],
  ['the token response is larger than 1 MiB', ({ faults }) => (faults.token = huge), 'unavailable', /1048576 bytes/],
  [
    'the client secret is wrong',
    ({ client }) => (client.secret = 'changed at the provider'),
    'provider_failed',
    /Local ID/,
  ],
  ['there is no ID token', ({ answer }) => (answer.id_token = undefined), 'provider_failed', /id_token/],
  ['the ID token is no JWT', ({ answer }) => (answer.id_token = 'made up'), 'provider_failed', /JWT/],
  [
    'the keys are at an internal address',
    ({ metadata }) => (metadata.jwks_uri = 'http://169.254.169.254/keys'),
    'provider_failed',
    /Local ID/,
  ],
  [
    'the token endpoint is at an internal address',
    ({ metadata }) => (metadata.token_endpoint = 'https://localhost/token'),
    'provider_failed',
    /Local ID/,
  ],
  ['the keys cannot be read', ({ faults }) => (faults.keys = refused), 'unavailable', /did not respond/],
  ['the keys are larger than 1 MiB', ({ faults }) => (faults.keys = huge), 'unavailable', /1048576 bytes/],
  ['the keys redirect to another host', ({ faults }) => (faults.keys = redirect), 'provider_failed', /status code/],
  [
    'there are no keys',
    ({ faults }) => (faults.keys = () => Response.json({ keys: [] })),
    'provider_failed',
    /no applicable keys/,
  ],
]

const idTokens: Fault[] = [
  ['another issuer', ({ claims }) => (claims.iss = 'https://evil.example.org'), 'provider_failed', /"iss"/],
  ['another audience', ({ claims }) => (claims.aud = 'another client'), 'provider_failed', /"aud"/],
  ['further audiences', ({ claims }) => (claims.aud = ['socialconnect', 'evil']), 'provider_failed', /"aud"/],
  [
    'another authorized party',
    ({ claims }) => Object.assign(claims, { aud: ['socialconnect', 'evil'], azp: 'evil' }),
    'provider_failed',
    /"azp"/,
  ],
  ['another nonce', ({ claims }) => (claims.nonce = 'replayed'), 'provider_failed', /"nonce"/],
  ['no nonce', ({ claims }) => (claims.nonce = undefined), 'provider_failed', /"nonce"/],
  ['another at_hash', ({ claims }) => (claims.at_hash = 'AAAAAAAAAAAAAAAAAAAAAA'), 'provider_failed', /at_hash/],
  ['no subject', ({ claims }) => (claims.sub = undefined), 'provider_failed', /"sub"/],
  ['an empty subject', ({ claims }) => (claims.sub = ''), 'provider_failed', /Local ID/],
  ['an overlong subject', ({ claims }) => (claims.sub = 'x'.repeat(256)), 'provider_failed', /Local ID/],
  ['an end more than 60 seconds ago', ({ claims }) => (claims.exp = now() - 65), 'provider_failed', /expiration/],
  ['a beginning in more than 60 seconds', ({ claims }) => (claims.nbf = now() + 65), 'provider_failed', /not before/],
  [
    'an issue time in more than 60 seconds',
    ({ claims }) => (claims.iat = now() + 65),
    'provider_failed',
    /clock is ahead/,
  ],
  [
    'an issue time of more than 60 seconds before the login',
    ({ claims }) => (claims.iat = now() - 65),
    'provider_failed',
    /replayed/,
  ],
  ['no signature (alg none)', (provider) => (provider.sign = unsigned), 'provider_failed', /"alg"/],
  [
    'no signature, which discovery offers',
    (provider) =>
      Object.assign(provider, {
        sign: unsigned,
        metadata: { id_token_signing_alg_values_supported: ['none', 'ES256'] },
      }),
    'provider_failed',
    /"alg"/,
  ],
  [
    'a signature with the client secret (HS256)',
    (provider) => (provider.sign = signedWithSecret(provider)),
    'provider_failed',
    /"alg"/,
  ],
  [
    'a signature with the client secret, which discovery offers',
    (provider) =>
      Object.assign(provider, {
        sign: signedWithSecret(provider),
        metadata: { id_token_signing_alg_values_supported: ['HS256'] },
      }),
    'provider_failed',
    /"alg"/,
  ],
  [
    'the signature of an unknown key',
    (provider) => (provider.sign = async (claims) => provider.signWith(await newKey(), claims)),
    'provider_failed',
    /no applicable keys/,
  ],
  ['a forged signature', (provider) => forge(provider), 'provider_failed', /signature verification failed/],
]

/** Signs with another key under the id of the real one. */
function forge(provider: OidcProvider): void {
  const honest = provider.sign
  provider.sign = async (claims) => {
    const [header] = (await honest(claims)).split('.')
    const [, payload, signature] = (await provider.signWith(await newKey(), claims)).split('.')
    return [header, payload, signature].join('.')
  }
}

async function expectRefusal(arrange: Fault[1], code: string, text: RegExp): Promise<void> {
  const { provider, logInAs } = await withProvider()
  await insertLink(ada.id, provider.issuer, 'ada')
  arrange(provider)
  const before = await stored()
  const problem = await problemOf(await logInAs(provider, { sub: 'ada' }))
  expect(problem).toMatchObject({ code, text: expect.stringMatching(text) })
  expect(await stored()).toBe(before)
}

test.each(answers)('nobody is logged in, and nothing changes, when %s', (_, arrange, code, text) =>
  expectRefusal(arrange, code, text),
)

test.each(idTokens)('an ID token is refused, and nothing changes, if it has %s', (_, arrange, code, text) =>
  expectRefusal(arrange, code, text),
)

test('a slow provider is given up after the deadline of outbound calls', async () => {
  const { provider, logInAs } = await withProvider()
  const deadline = new AbortController()
  vi.spyOn(AbortSignal, 'timeout').mockReturnValue(deadline.signal)
  provider.faults.token = () => {
    deadline.abort(new DOMException('The operation timed out', 'TimeoutError'))
    return Promise.reject(deadline.signal.reason)
  }
  const problem = await problemOf(await logInAs(provider, { sub: 'ada' }))
  expect(problem).toMatchObject({ status: 503, text: expect.stringMatching(/within 5 seconds/) })
})

test('a clock that differs by less than 60 seconds is accepted', async () => {
  for (const seconds of [-50, 50]) {
    const { provider, logInAs } = await withProvider()
    await insertLink(ada.id, provider.issuer, 'ada')
    const iat = now() + seconds
    Object.assign(provider.claims, { iat, nbf: iat, exp: iat + 30 })
    expect((await logInAs(provider, { sub: 'ada' })).status).toBe(200)
  }
})
