import { env } from 'cloudflare:workers'
import Argon2 from '@phi-ag/argon2'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Ctx } from '../../../src/platform/context.ts'
import { mapConcurrently } from '../../../src/platform/data/shards.ts'
import { Failure } from '../../../src/platform/failures.ts'
import { blindIndex } from '../../../src/platform/security/crypto.ts'
import { loginPerNameLimit } from '../../../src/services/identity/limits.ts'
import { logIn } from '../../../src/services/identity/login.ts'
import { PASSWORD, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import * as http from '../../support/auth.ts'
import { directoryNumber, outcomeOf } from '../../support/auth.ts'
import { anonymousClient, fetchWith, postJson } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { drained } from '../../support/outboxes.ts'
import { contextWith } from '../../support/platform.ts'
import { useUp } from '../../support/rate-limits.ts'
import { fakeTurnstile, withTurnstile } from '../../support/turnstile.ts'

const HOUR_MS = 3_600_000
const clock = movableClock()

beforeEach(() => void vi.spyOn(console, 'log').mockImplementation(() => {}))
afterEach(() => void vi.restoreAllMocks())

function contextFrom(address: string): Ctx {
  return { ...contextWith(), viewer: null, client: { address, userAgent: 'guesser/1', place: null } }
}

/** A login by its verb, from an address. Returns the code of the failure, or `ok`. */
async function attempt(identifier: string, password: string, address: string, deviceToken?: string): Promise<string> {
  const failed = (error: unknown) => (error instanceof Failure ? error.code : String(error))
  return logIn(contextFrom(address), { identifier, password, deviceToken }).then(() => 'ok', failed)
}

const tally = (outcomes: string[]) =>
  Object.fromEntries([...Map.groupBy(outcomes, (code) => code)].map(([code, all]) => [code, all.length]))

test('of 10,000 guesses from 1,000 addresses, 100 reach the hash, and the owner still logs in on a known device', async () => {
  const ada = await registeredUser('ada_guessed')
  const hashes = vi.spyOn(Argon2.prototype, 'tryVerify')
  const guesses = Array.from(
    { length: 10_000 },
    (_, i) => [`guess number ${i} at it`, `198.18.${i % 4}.${(i >> 2) % 250}`] as const,
  )
  expect(new Set(guesses.map(([, address]) => address)).size).toBe(1_000)
  const waves = Array.from({ length: 100 }, (_, n) => guesses.slice(100 * n, 100 * (n + 1)))
  const outcomes: string[] = []
  for (const wave of waves) {
    outcomes.push(...(await Promise.all(wave.map(([password, address]) => attempt('ada_guessed', password, address)))))
  }
  expect(tally(outcomes)).toEqual({ invalid_credentials: 100, login_challenge_required: 9_900 })
  expect(hashes).toHaveBeenCalledTimes(100)

  const [, attacker] = guesses[0]!
  expect(await attempt('ada_guessed', PASSWORD, '192.0.2.1')).toBe('login_challenge_required')
  for (const address of ['192.0.2.1', attacker]) {
    expect(await attempt('ada_guessed', PASSWORD, address, ada.deviceToken)).toBe('ok')
  }
  const noted = `select count(*) n from outbox where type = 'identity.login-failed'`
  expect(await directoryNumber(noted)).toBeLessThanOrEqual(6)
}, 240_000)

test('guesses at random names from one address note 20 failures an hour, whether or not the names exist', async () => {
  await registeredUser('abe_guessed')
  const noted = () => directoryNumber("select count(*) n from outbox where type = 'identity.login-failed'")
  vi.spyOn(env.EVENTS, 'sendBatch').mockRejectedValue(new Error('kept in the outbox'))
  vi.spyOn(env.EVENTS, 'send').mockRejectedValue(new Error('kept in the outbox'))
  const before = await noted()
  for (let i = 0; i < 30; i++) {
    const name = i % 3 === 0 ? 'abe_guessed' : `random_${i}`
    if (i % 10 === 0) clock.advance(300_001) // a new window of the limit per address
    expect(await attempt(name, 'not the password', '192.0.2.70')).toBe('invalid_credentials')
  }
  // The tenth failure of abe is not among the first five of the name.
  expect((await noted()) - before).toBe(20)
  await env.DIRECTORY.prepare("delete from outbox where type = 'identity.login-failed'").run()
})

test('a failure of an unknown name is noted without the client, one of a known name with it', async () => {
  const ann = await registeredUser('ann_guessed')
  for (const name of ['unknown_guessed', 'ann_guessed']) await attempt(name, 'not the password', '192.0.2.80')
  await drained()
  const entries = "select account_id id, client from audit_entries where action = 'login-failed' order by event_id desc"
  const { results } = await env.AUDIT.prepare(`${entries} limit 2`).all<{ id: number | null; client: string | null }>()
  expect(results.find(({ id }) => id === null)).toEqual({ id: null, client: null })
  expect(results.find(({ id }) => id === Number(ann.id))).toMatchObject({ client: expect.any(String) })
})

test('right passwords use up no limit, and a right one gives its attempt back', async () => {
  await registeredUser('bea_guessed')
  const by = anonymousClient()
  for (let i = 0; i < 12; i++) expect((await http.logIn('bea_guessed', PASSWORD, by)).status).toBe(200)
  const statuses = []
  for (let i = 0; i < 11; i++) statuses.push((await http.logIn('bea_guessed', 'not the password', by)).status)
  expect(statuses).toEqual([...Array(10).fill(401), 403])
})

test('a device token of another account, a revoked, an expired or an altered one satisfies no limit', async () => {
  const [cal, dee] = [await registeredUser('cal_guessed'), await registeredUser('dee_guessed')]
  const address = '192.0.2.30'
  for (let i = 0; i < 10; i++) await attempt('cal_guessed', 'not the password', address)
  const login = (token: string) => attempt('cal_guessed', PASSWORD, address, token)
  const [account, device, time, signature] = cal.deviceToken.split('.')
  const altered = [`${account}.${device}.${Number(time) + 1}.${signature}`, `${dee.id}.${device}.${time}.${signature}`]
  for (const token of [dee.deviceToken, ...altered, 'x', ''])
    expect([token, await login(token)]).toEqual([token, 'login_challenge_required'])
  expect(await login(cal.deviceToken)).toBe('ok')
  await cal.fetch('/v1/me/sessions', { method: 'DELETE' })
  expect(await login(cal.deviceToken)).toBe('login_challenge_required')
  const renewed = await (await http.refreshWith(cal.refreshToken)).json<RegisteredUser>()
  expect(await login(renewed.deviceToken)).toBe('ok')
  clock.advance(401 * 24 * HOUR_MS)
  for (let i = 0; i < 10; i++) await attempt('cal_guessed', 'not the password', address)
  expect(await login(renewed.deviceToken)).toBe('login_challenge_required')
})

test('a login that the limit of its name refuses does not count for its address', async () => {
  await registeredUser('jan_guessed')
  await registeredUser('kai_guessed')
  await useUp(loginPerNameLimit, await blindIndex(contextWith().config, 'login', 'jan_guessed'))
  const address = '192.0.2.70'
  for (let i = 0; i < 10; i++) {
    expect(await attempt('jan_guessed', 'not the password', address)).toBe('login_challenge_required')
    clock.advance(LEASE_MS + 1) // the isolate must ask again, and not know that the name is used up
  }
  expect(await attempt('kai_guessed', 'not the password', address)).toBe('invalid_credentials')
})

test('a stolen device token allows 20 guesses an hour, which do not refuse the other devices of the account', async () => {
  const eve = await registeredUser('eve_guessed')
  const other = await (await http.logIn('eve_guessed')).json<RegisteredUser>()
  const outcomes = []
  for (let i = 0; i < 31; i++)
    outcomes.push(await attempt('eve_guessed', 'not the password', '192.0.2.40', eve.deviceToken))
  // After the 20 of the device, 10 of the address.
  expect(tally(outcomes)).toEqual({ invalid_credentials: 30, login_challenge_required: 1 })
  expect(await attempt('eve_guessed', PASSWORD, '192.0.2.40', other.deviceToken)).toBe('ok')
})

test('above the limits, a solved challenge admits a guess, and a wrong or used one does not', async () => {
  fakeTurnstile()
  await registeredUser('fay_guessed')
  const headers = { 'content-type': 'application/json', 'cf-connecting-ip': '192.0.2.50' }
  const login = async (password: string, turnstileToken?: string) => {
    const body = JSON.stringify({ identifier: 'fay_guessed', password, turnstileToken })
    return (await fetchWith(withTurnstile, '/v1/auth/login', { method: 'POST', headers, body })).status
  }
  for (let i = 0; i < 10; i++) expect(await login('not the password')).toBe(401)
  const tried = ['solved login 1', 'solved login 1', 'solved register 1', 'wrong', 'down', undefined]
  const statuses = []
  for (const token of tried) statuses.push(await login(PASSWORD, token))
  expect(statuses).toEqual([200, 403, 403, 403, 403, 403])
  expect(await login('not the password', 'solved login 2')).toBe(401)
})

test('while the directory is down, logins get 503, which count for nothing, and tokens keep working', async () => {
  const gil = await registeredUser('gil_guessed')
  expect((await gil.fetch('/v1/accounts/me')).status).toBe(200)
  const down = () => {
    throw new Error('D1_ERROR: the database is overloaded')
  }
  const broken = {
    ...env,
    DIRECTORY: { withSession: () => ({ prepare: down, batch: down, getBookmark: () => null }), prepare: down },
  }
  const headers = { 'content-type': 'application/json', 'cf-connecting-ip': '192.0.2.60' }
  const body = JSON.stringify({ identifier: 'gil_guessed', password: PASSWORD })
  for (let i = 0; i < 15; i++) {
    expect((await fetchWith(broken, '/v1/auth/login', { method: 'POST', headers, body })).status).toBe(503)
  }
  const me = await fetchWith(broken, '/v1/accounts/me', { headers: { authorization: `Bearer ${gil.token}` } })
  expect(me.status).toBe(200)
  expect((await fetchWith(env, '/v1/auth/login', { method: 'POST', headers, body })).status).toBe(200)
})

test('200 logins with known and with unknown names get equal responses for equal work', async () => {
  const known = await registeredUser('hal_guessed')
  const observe = async (name: (i: number) => string) =>
    mapConcurrently(
      Array.from({ length: 200 }, (_, i) => i),
      async (i) => {
        const response = await postJson('/v1/auth/login', { identifier: name(i), password: 'not the password' })
        const { trips, directoryTrips, rowsWritten, queueMessages } = JSON.parse(response.headers.get('x-cost')!)
        const body = (await response.text()).replace(/"instance":"[^"]*"/, '')
        return JSON.stringify([response.status, body, trips, directoryTrips, rowsWritten, queueMessages])
      },
    )
  const count = async (run: () => Promise<string[]>) => {
    const hashes = [vi.spyOn(Argon2.prototype, 'tryVerify'), vi.spyOn(Argon2.prototype, 'tryHash')]
    const answers = tally(await run())
    const hashed = hashes.reduce((sum, spy) => sum + spy.mock.calls.length, 0)
    for (const spy of hashes) spy.mockRestore()
    await drained()
    return { answers, hashed }
  }
  const ofKnown = await count(() => observe(() => known.handle))
  expect(await count(() => observe(() => 'nobody_guessed'))).toEqual(ofKnown)
  expect(Object.values(ofKnown.answers).reduce((sum, n) => sum + n, 0)).toBe(200)
  expect(ofKnown.hashed).toBe(100)
}, 120_000)

test('wrong passwords in confirmations are counted per login, and right ones are not counted', async () => {
  const ivy = await registeredUser('ivy_guessed')
  const other = await (await http.logIn('ivy_guessed')).json<{ accessToken: string }>()
  const confirm = (password: string, token = ivy.token) =>
    anonymousClient().fetch('/v1/auth/confirm', {
      method: 'POST',
      json: { password },
      headers: { authorization: `Bearer ${token}` },
    })
  for (let i = 0; i < 12; i++) expect((await confirm(PASSWORD)).status).toBe(204)
  for (let i = 0; i < 10; i++) expect((await confirm('not the password')).status).toBe(401)
  expect(await outcomeOf(await confirm(PASSWORD))).toEqual([429, 'rate_limited'])
  expect((await confirm(PASSWORD, other.accessToken)).status).toBe(204)
})
