import { beforeAll, expect, test } from 'vitest'
import type { AppWithSecret } from '../../../src/services/apps/views.ts'
import { type RegisteredUser, refresh, registeredUser } from '../../support/actors.ts'
import { anonymousClient } from '../../support/client.ts'
import { movableClock } from '../../support/clock.ts'
import { allow, authorize, CHALLENGE, decide, errorOf, ISSUER, registeredApp, requestOf } from '../../support/oauth.ts'
import { countCodes, expectReturn } from '../../support/oauth-attacks.ts'

const clock = movableClock()
let ada: RegisteredUser
let app: AppWithSecret

beforeAll(async () => {
  ada = await registeredUser()
  app = await registeredApp(ada)
})

const broken: Record<string, [change: Record<string, string | undefined>, error: string]> = {
  'no PKCE': [{ code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
  'plain PKCE': [{ code_challenge_method: 'plain' }, 'invalid_request'],
  'PKCE without a method, which means plain': [{ code_challenge_method: undefined }, 'invalid_request'],
  'a short challenge': [{ code_challenge: 'abc' }, 'invalid_request'],
  'the implicit flow': [{ response_type: 'token' }, 'unsupported_response_type'],
  'the hybrid flow': [{ response_type: 'code id_token' }, 'unsupported_response_type'],
  'an answer in the fragment': [{ response_mode: 'fragment' }, 'invalid_request'],
  'a request object': [{ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'],
  'a request object elsewhere': [{ request_uri: 'https://evil.example/r' }, 'request_uri_not_supported'],
  'another resource': [{ resource: 'https://evil.example/v1' }, 'invalid_target'],
  'no scope': [{ scope: undefined }, 'invalid_scope'],
  'a scope of the staff': [{ scope: 'posts:read moderation' }, 'invalid_scope'],
  'the scope of exports': [{ scope: 'privacy' }, 'invalid_scope'],
  'the scope that manages apps': [{ scope: 'apps' }, 'invalid_scope'],
  'the audit log': [{ scope: 'audit:read' }, 'invalid_scope'],
  'an unknown scope': [{ scope: 'everything' }, 'invalid_scope'],
  'an unknown prompt': [{ prompt: 'sudo' }, 'invalid_request'],
  'a prompt that contradicts itself': [{ prompt: 'none consent' }, 'invalid_request'],
  'a malformed max_age': [{ max_age: '-1' }, 'invalid_request'],
}

test.each(Object.entries(broken))(
  'a request with %s is refused, and the app learns why',
  async (_, [change, error]) => {
    await expectReturn(ada, requestOf(app, change), error)
  },
)

test('a repeated parameter is refused, and a repeated state is not returned', async () => {
  const valid = requestOf(app)
  for (const name of [
    'scope=posts:read',
    'response_type=code',
    `code_challenge=${CHALLENGE}`,
    'nonce=a&nonce=b',
    'x=1&x=2',
  ])
    await expectReturn(ada, `${valid}&${name}`, 'invalid_request')
  await expectReturn(ada, `${valid}&state=other`, 'invalid_request', null)
})

test('opening the authorization endpoint or reading a request never allows anything', async () => {
  const before = await countCodes()
  const query = requestOf(app)
  expect((await authorize(query)).status).toBe(303)
  const read = await ada.fetch(`/v1/oauth/authorizations?request=${encodeURIComponent(query)}`)
  expect(await read.json()).toMatchObject({ next: 'ask', returnTo: expect.stringContaining('error=access_denied') })
  expect((await ada.fetch(`/v1/oauth/authorizations?${query}`)).status).toBe(422)
  expect((await ada.fetch('/auth/oauth2/authorize', { method: 'POST', body: query })).status).toBe(405)
  expect(await countCodes()).toBe(before)
})

test('the answer names the issuer, so that a client notices a mix-up of servers', async () => {
  const back = await allow(ada, requestOf(app))
  expect([...back.searchParams.keys()]).toEqual(['code', 'state', 'iss'])
  expect([back.searchParams.get('state'), back.searchParams.get('iss')]).toEqual(['xyz', ISSUER])
  const without = await allow(ada, requestOf(app, { state: undefined }))
  expect([...without.searchParams.keys()]).toEqual(['code', 'iss'])
})

test('a decision needs the token of the account that saw the page, and a fresh login', async () => {
  const [eve, old] = [await registeredUser(), await registeredUser()]
  const before = await countCodes()
  expect(await errorOf(await decide(ada, requestOf(app), '', eve.id))).toEqual([403, 'forbidden'])
  const body = JSON.stringify({ request: requestOf(app), accountId: ada.id })
  const headers = { 'content-type': 'application/json', origin: 'https://evil.example', cookie: 'session=1' }
  const forged = await anonymousClient().fetch('/v1/oauth/authorizations', { method: 'POST', headers, body })
  expect(forged.status).toBe(401)
  clock.advance(10 * 60_000)
  await refresh(old)
  expect(await errorOf(await decide(old, requestOf(app)))).toEqual([403, 'fresh_login_required'])
  expect(await countCodes()).toBe(before)
})
