import { crc32 } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import type { Tokens } from '../../../src/services/identity/views.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { createdApiKey } from '../../support/api-keys.ts'
import { loggedIn } from '../../support/auth.ts'
import { anonymousClient, postJson } from '../../support/client.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { forgedClaims } from '../../support/forged-claims.ts'
import { forgedHeaders, forgedSignatures } from '../../support/forged-signatures.ts'
import { delivered } from '../../support/outboxes.ts'
import { mailedResetToken } from '../../support/recovery.ts'
import { type Signer, signerFor } from '../../support/token-signer.ts'

let ada: RegisteredUser
let bob: RegisteredUser
let tokens: Tokens
let keys: { ada: string; bob: string }
let ticket: string
let resetToken: string
let signer: Signer
let before: object

beforeAll(async () => {
  ;[ada, bob] = [await registeredUser(), await registeredUser()]
  tokens = await loggedIn(ada)
  keys = { ada: (await createdApiKey(ada)).key, bob: (await createdApiKey(bob)).key }
  ticket = await newTicket()
  resetToken = await mailedResetToken(ada.id)
  signer = await signerFor(ada)
  await delivered()
  before = await fingerprint()
})

async function newTicket(): Promise<string> {
  const response = await ada.fetch('/v1/realtime/tickets', { method: 'POST' })
  return (await response.json<{ ticket: string }>()).ticket
}

/** Requests that would write, or open a socket, if their token were accepted. */
const surfaces: Record<string, (authorization: string) => Promise<Response>> = {
  REST: (authorization) =>
    anonymousClient().fetch('/v1/posts', { method: 'POST', json: { text: 'Forged' }, headers: { authorization } }),
  GraphQL: (authorization) =>
    anonymousClient().fetch('/graphql', {
      method: 'POST',
      json: { query: 'mutation { createPost(input: { text: "Forged" }) { id } }' },
      headers: { authorization },
    }),
  'a ticket': (authorization) =>
    anonymousClient().fetch('/v1/realtime/tickets', { method: 'POST', headers: { authorization } }),
  'a socket': (authorization) =>
    anonymousClient().fetch('/v1/realtime', { headers: { authorization, upgrade: 'websocket' } }),
  'a public read': (authorization) => anonymousClient().fetch('/v1/feeds/public', { headers: { authorization } }),
}

async function expectRefused(authorization: string, challenge = 'Bearer error="invalid_token"'): Promise<void> {
  const answers = await Promise.all(
    Object.entries(surfaces).map(async ([surface, send]) => {
      const response = await send(authorization)
      const { code } = await response.json<{ code?: string }>().catch(() => ({ code: 'none' }))
      return { surface, status: response.status, challenge: response.headers.get('www-authenticate'), code }
    }),
  )
  const refusal = { status: 401, challenge, code: 'unauthorized' }
  expect(answers).toEqual(Object.keys(surfaces).map((surface) => ({ surface, ...refusal })))
}

const forgeries = Object.entries({ ...forgedHeaders, ...forgedSignatures, ...forgedClaims })

test('the table has more than a hundred forgeries', () => {
  expect(forgeries.length).toBeGreaterThan(100)
})

test.each(forgeries)('a forged token is refused on every surface: %s', async (_, forge) => {
  await expectRefused(`Bearer ${await forge(signer)}`)
})

const withChecksum = (body: string) => body + crc32(body).toString(16).padStart(8, '0')
const bodyOf = (key: string) => key.slice(0, -8)
const secretOf = (key: string) => bodyOf(key).split('_')[2]!

/** Other credentials of ours, and variants of an API key. Each is valid where it belongs. */
const misused: Record<string, () => string | Promise<string>> = {
  'a refresh token': () => tokens.refreshToken,
  'a device token': () => tokens.deviceToken,
  'a ticket of the socket': () => ticket,
  'a token that resets the password': () => resetToken,
  'an API key with another checksum': () => `${bodyOf(keys.ada)}00000000`,
  'an API key without its checksum': () => bodyOf(keys.ada),
  'an API key in upper case': () => keys.ada.toUpperCase(),
  'an API key with an upper-case secret': () => keys.ada.replace(/[a-f]/g, (digit) => digit.toUpperCase()),
  'an API key with a longer secret': () => withChecksum(`${bodyOf(keys.ada)}00`),
  'an API key with a shorter secret': () => withChecksum(bodyOf(keys.ada).slice(0, -2)),
  'an API key of another account': () => withChecksum(`sc_${ada.id}_${secretOf(keys.bob)}`),
  'an API key whose account has a leading zero': () => withChecksum(`sc_0${ada.id}_${secretOf(keys.ada)}`),
  'an API key of an account beyond 53 bits': () => withChecksum(`sc_9999999999999999_${secretOf(keys.ada)}`),
  'an API key of an account that does not exist': () => withChecksum(`sc_1970324836974593_${secretOf(keys.ada)}`),
  'an API key with a secret of zeros': () => withChecksum(`sc_${ada.id}_${'0'.repeat(64)}`),
  'an API key with a changed digit': () =>
    withChecksum(bodyOf(keys.ada).slice(0, -1) + (keys.ada.at(-9) === '0' ? '1' : '0')),
  'the hash of an API key': async () => {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(keys.ada))
    return withChecksum(`sc_${ada.id}_${new Uint8Array(digest).toHex()}`)
  },
  'an API key with a dot': () => `${keys.ada}.`,
  'an API key within a token': () => signer.parts.toSpliced(1, 1, keys.ada).join('.'),
}

test.each(Object.entries(misused))('another credential is no access token: %s', async (_, make) => {
  await expectRefused(`Bearer ${await make()}`)
})

const headers: [name: string, header: () => string, challenge?: string][] = [
  ['two spaces', () => `Bearer  ${ada.token}`],
  ['a tab', () => `Bearer\t${ada.token}`],
  ['a space within the token', () => `Bearer ${ada.token.replace('.', '. ')}`],
  ['two tokens', () => `Bearer ${ada.token} ${bob.token}`],
  ['two tokens with a comma', () => `Bearer ${ada.token}, Bearer ${bob.token}`],
  ['a token and an API key', () => `Bearer ${ada.token},${keys.ada}`],
  ['quotes', () => `Bearer "${ada.token}"`],
  ['no token', () => 'Bearer'],
  ['a name', () => `Bearer token=${ada.token}`],
  ['the scheme Basic', () => `Basic ${btoa(`${ada.handle}:${keys.ada}`)}`, 'Bearer'],
  ['the scheme DPoP', () => `DPoP ${ada.token}`, 'Bearer'],
  ['no scheme', () => ada.token, 'Bearer'],
  ['an API key without a scheme', () => keys.ada, 'Bearer'],
]

test.each(headers)('a malformed Authorization header is refused on every surface: %s', async (_, header, challenge) => {
  await expectRefused(header(), challenge)
})

test('a token in the query or the body is not read', async () => {
  for (const name of ['access_token', 'token', 'api_key', 'key']) {
    const inQuery = await anonymousClient().fetch(`/v1/accounts/me?${name}=${ada.token}`)
    expect(inQuery.status, name).toBe(401)
    expect(inQuery.headers.get('www-authenticate')).toBe('Bearer')
    const inBody = await postJson('/v1/posts', { text: 'Forged', [name]: keys.ada })
    expect(inBody.status, name).toBe(401)
  }
})

type Use = { path: string; json: (token: string) => object; status: number; code: string }
const uses: Record<string, Use> = {
  'a refresh token': {
    path: '/auth/refresh',
    json: (refreshToken) => ({ refreshToken: refreshToken.slice(0, 200) }),
    status: 401,
    code: 'invalid_credentials',
  },
  'a verification token': {
    path: '/auth/verify',
    json: (token) => ({ token, password: 'seven quiet otters at dawn' }),
    status: 422,
    code: 'invalid',
  },
  'a token that resets the password': {
    path: '/auth/password/reset',
    json: (token) => ({ token, password: 'seven quiet otters at dawn' }),
    status: 422,
    code: 'invalid',
  },
  'a token that confirms an address': {
    path: '/auth/address/confirm',
    json: (token) => ({ token }),
    status: 422,
    code: 'invalid',
  },
  'a token that undoes a change of address': {
    path: '/auth/address/undo',
    json: (token) => ({ token }),
    status: 422,
    code: 'invalid',
  },
}

test.each(Object.entries(uses))(
  'neither an access token nor an API key is %s',
  async (_, { path, json, status, code }) => {
    for (const token of [ada.token, keys.ada, tokens.deviceToken]) {
      const response = await postJson(`/v1${path}`, json(token))
      expect([response.status, (await response.json<{ code: string }>()).code]).toEqual([status, code])
    }
  },
)

test('neither an access token nor an API key is a ticket or a cursor', async () => {
  for (const token of [ada.token, keys.ada]) {
    const text = token.slice(0, 200)
    const socket = await anonymousClient().fetch(`/v1/realtime?ticket=${text}`, { headers: { upgrade: 'websocket' } })
    expect(socket.status).toBe(401)
    expect((await ada.fetch(`/v1/feeds/home?cursor=${text}`)).status).toBe(422)
  }
})

test('none of these requests has changed anything', async () => {
  await delivered()
  expect(await fingerprint()).toEqual(before)
})
