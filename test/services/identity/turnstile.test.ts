import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Ctx } from '../../../src/platform/context.ts'
import { createContext } from '../../../src/platform/create-context.ts'
import { requireTurnstile, verifyTurnstile } from '../../../src/services/identity/turnstile.ts'
import { PASSWORD } from '../../support/actors.ts'
import { directoryNumber, outcomeOf } from '../../support/auth.ts'
import { fetchWith } from '../../support/client.ts'
import { fakeTurnstile, withTurnstile } from '../../support/turnstile.ts'

let turnstile: ReturnType<typeof fakeTurnstile>
beforeEach(() => {
  turnstile = fakeTurnstile()
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => {
  vi.restoreAllMocks()
})

const contextOf = (bindings: object): Ctx => ({
  ...createContext({ env: bindings as Env, waitUntil: () => {} }),
  viewer: null,
  client: { address: '192.0.2.1', userAgent: null, place: null },
})

function register(bindings: object, handle: string, turnstileToken?: string): Promise<Response> {
  const body = JSON.stringify({ handle, email: `${handle}@example.com`, password: PASSWORD, turnstileToken })
  const headers = { 'content-type': 'application/json', 'cf-connecting-ip': '192.0.2.1' }
  return fetchWith(bindings, '/v1/auth/register', { method: 'POST', headers, body })
}

const registered = (handle: string) => directoryNumber('select count(*) n from handles where handle = ?', handle)

test('where Turnstile is configured, only a solved challenge registers an account, and only once', async () => {
  expect((await register(withTurnstile, 'ts_ada', 'solved register 1')).status).toBe(202)
  expect(turnstile.asked).toMatchObject([
    { secret: 'secret key', response: 'solved register 1', remoteip: '192.0.2.1' },
  ])
  for (const token of [undefined, '', 'made up', 'solved register 1', 'solved login 2']) {
    const response = await register(withTurnstile, 'ts_bob', token)
    expect([response.status, await response.json()]).toMatchObject([422, { errors: [{ field: 'turnstileToken' }] }])
  }
  expect(await registered('ts_bob')).toBe(0)
})

test('where Turnstile is not configured, nothing is asked, and a token never counts as solved', async () => {
  expect((await register(env, 'ts_cleo', 'made up')).status).toBe(202)
  expect(await verifyTurnstile(contextOf(env), 'solved login 1', 'login')).toBe(false)
  expect(turnstile.asked).toEqual([])
})

test('a token is valid for its own action only', async () => {
  const ctx = contextOf(withTurnstile)
  expect(await verifyTurnstile(ctx, 'solved login 1', 'login')).toBe(true)
  expect(await verifyTurnstile(ctx, 'solved login 1', 'login')).toBe(false)
  expect(await verifyTurnstile(ctx, 'solved register 1', 'login')).toBe(false)
  expect(await verifyTurnstile(ctx, undefined, 'login')).toBe(false)
})

test('a wrong secret counts as an outage and not as a wrong token', async () => {
  const ctx = contextOf({ ...withTurnstile, TURNSTILE_SECRET: 'another' })
  await expect(requireTurnstile(ctx, 'solved register 1', 'register')).rejects.toMatchObject({ code: 'unavailable' })
  await requireTurnstile(ctx, 'solved reset 1', 'reset')
  const working = requireTurnstile(contextOf(withTurnstile), 'made up', 'reset')
  await expect(working).rejects.toMatchObject({ code: 'invalid' })
})

test('one key without the other is an error, so that the check is not silently off', async () => {
  for (const missing of ['TURNSTILE_SITE_KEY', 'TURNSTILE_SECRET']) {
    expect((await register({ ...withTurnstile, [missing]: undefined }, 'ts_eve', 'solved register 1')).status).toBe(500)
  }
})

test('reading the rules of registration needs no database, and returns what is configured', async () => {
  const response = await fetchWith(env, '/v1/auth/registration')
  expect(await response.json()).toEqual({
    mode: 'open',
    termsVersion: null,
    termsUrl: null,
    turnstileSiteKey: null,
    minPasswordLength: 15,
  })
  expect(JSON.parse(response.headers.get('x-cost')!).trips).toBe(0)
  const terms = { TERMS_VERSION: '2026-11', TERMS_URL: 'https://example.org/terms' }
  const configured = await fetchWith({ ...withTurnstile, ...terms, REGISTRATION: 'closed' }, '/v1/auth/registration')
  expect(await configured.json()).toMatchObject({
    mode: 'closed',
    termsVersion: '2026-11',
    termsUrl: 'https://example.org/terms',
    turnstileSiteKey: 'site key',
  })
})

test('where registration is closed, nobody registers', async () => {
  const closed = { ...env, REGISTRATION: 'closed' }
  expect(await outcomeOf(await register(closed, 'ts_fay'))).toEqual([403, 'registration_closed'])
  expect(await registered('ts_fay')).toBe(0)
})

// Last, because it opens the circuit to the provider.
test('while Turnstile does not respond, a registration gets 503, a login is refused, and a reset passes', async () => {
  const ctx = contextOf(withTurnstile)
  expect(await outcomeOf(await register(withTurnstile, 'ts_dora', 'down'))).toEqual([503, 'unavailable'])
  expect(await registered('ts_dora')).toBe(0)
  expect(await verifyTurnstile(ctx, 'down', 'login')).toBe(false)
  await requireTurnstile(ctx, 'down', 'reset')
})
