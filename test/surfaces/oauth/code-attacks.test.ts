import { expect, test } from 'vitest'
import { registeredUser } from '../../support/actors.ts'
import { statusWith } from '../../support/auth.ts'
import { anonymousClient } from '../../support/client.ts'
import { movableClock } from '../../support/clock.ts'
import {
  CHALLENGE,
  codeFor,
  errorOf,
  exchange,
  post,
  proof,
  REDIRECT,
  refreshAs,
  type TokenResponse,
  twoApps,
  VERIFIER,
} from '../../support/oauth.ts'

const clock = movableClock()
const { ada, app, other } = await twoApps()

test('a code works once; its reuse ends the tokens that it gave, at once', async () => {
  const code = await codeFor(ada, app)
  const tokens = await (await exchange(app, code)).json<TokenResponse>()
  expect(await statusWith(tokens.access_token)).toBe(200)
  expect(await errorOf(await exchange(app, code))).toEqual([400, 'invalid_grant'])
  expect(await statusWith(tokens.access_token)).toBe(401)
  expect(await errorOf(await refreshAs(app, tokens.refresh_token))).toEqual([400, 'invalid_grant'])
})

test('of concurrent exchanges of one code, none leaves a token that works', async () => {
  const code = await codeFor(ada, app)
  const answers = await Promise.all(Array.from({ length: 4 }, () => exchange(app, code)))
  const won = answers.filter(({ status }) => status === 200)
  expect(won.length).toBeLessThanOrEqual(1)
  for (const response of won) {
    expect(await statusWith((await response.json<TokenResponse>()).access_token)).toBe(401)
  }
})

test('a code is void for another client, another redirect, another verifier and after a minute', async () => {
  const code = await codeFor(ada, app)
  const wrong = [
    await exchange(other, code),
    await exchange(app, code, { redirect_uri: `${REDIRECT}/` }),
    await exchange(app, code, { code_verifier: `${VERIFIER}x` }),
    await exchange(app, code, { code_verifier: CHALLENGE }),
    await exchange(app, `${code}x`),
  ]
  for (const response of wrong) expect(await errorOf(response)).toEqual([400, 'invalid_grant'])
  const missing = [
    await exchange(app, code, { code_verifier: undefined }),
    await exchange(app, code, { redirect_uri: undefined }),
    await exchange(app, code, { grant_type: undefined }),
  ]
  for (const response of missing) expect(await errorOf(response)).toEqual([400, 'invalid_request'])
  expect((await exchange(app, code)).status).toBe(200)
  const late = await codeFor(ada, app)
  clock.advance(60_000)
  expect(await errorOf(await exchange(app, late))).toEqual([400, 'invalid_grant'])
})

test('a code from before a logout everywhere is void', async () => {
  const eve = await registeredUser()
  const code = await codeFor(eve, app)
  await eve.fetch('/v1/auth/logout-all', { method: 'POST' })
  expect(await errorOf(await exchange(app, code))).toEqual([400, 'invalid_grant'])
})

test('a confidential client needs its secret, and a public one must not send any', async () => {
  const code = await codeFor(ada, other)
  const secret = other.secret!
  const basic = (id: string, password: string) => ({ authorization: `Basic ${btoa(`${id}:${password}`)}` })
  const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: VERIFIER }
  const refused = [
    await post('token', { ...form, client_id: other.id }),
    await post('token', { ...form, client_id: other.id, client_secret: 'wrong' }),
    await post('token', form),
    await post('token', form, basic(other.id, 'wrong')),
    await post('token', form, basic(app.id, secret)),
    await post('token', form, { authorization: 'Basic !!!' }),
    await post('token', form, { authorization: `Bearer ${ada.token}` }),
    await post('token', { ...form, client_id: app.id, client_secret: secret }),
  ]
  for (const response of refused) {
    expect(response.headers.get('www-authenticate')).toContain('Basic')
    expect(await errorOf(response)).toEqual([401, 'invalid_client'])
  }
  const twice = await post('token', { ...form, client_secret: secret }, basic(other.id, secret))
  expect(await errorOf(twice)).toEqual([400, 'invalid_request'])
  const mixed = await post('token', { ...form, client_id: app.id }, basic(other.id, secret))
  expect(await errorOf(mixed)).toEqual([400, 'invalid_request'])
  expect((await post('token', form, basic(other.id, secret))).status).toBe(200)
})

test('the token endpoint refuses repeated parameters, JSON, GET, other grants and other resources', async () => {
  const code = await codeFor(ada, app)
  const form = String(
    new URLSearchParams({ ...proof(app), grant_type: 'authorization_code', code } as Record<string, string>),
  )
  const repeated = await post('token', `${form}&redirect_uri=${REDIRECT}&code_verifier=${VERIFIER}&code=${code}`)
  expect(await errorOf(repeated)).toEqual([400, 'invalid_request'])
  const json = await anonymousClient().fetch('/auth/oauth2/token', { method: 'POST', json: { code } })
  expect(await errorOf(json)).toEqual([400, 'invalid_request'])
  expect((await anonymousClient().fetch(`/auth/oauth2/token?${form}`)).status).toBe(405)
  for (const grant_type of ['password', 'client_credentials', 'urn:ietf:params:oauth:grant-type:device_code'])
    expect(await errorOf(await exchange(app, code, { grant_type }))).toEqual([400, 'unsupported_grant_type'])
  expect(await errorOf(await exchange(app, code, { resource: 'https://evil.example' }))).toEqual([
    400,
    'invalid_target',
  ])
})
