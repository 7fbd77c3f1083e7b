import { afterEach, expect, test, vi } from 'vitest'
import { memoryStore, type TokenStore } from '../../src/client/client.ts'
import { registeredUser } from '../support/actors.ts'
import { clientOf, requestsTo } from '../support/api-client.ts'
import { movableClock } from '../support/clock.ts'

const REFRESH = '/v1/auth/refresh'
const TOKEN_LIFE_MS = 3_600_000
const clock = movableClock()
afterEach(() => vi.useRealTimers())

const holdTimers = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
const never = () => new Promise<never>(() => {})

test('an attempt to refresh takes at most 8 s and all together 25 s, and then the login goes on', async () => {
  const user = await registeredUser()
  const ended = vi.fn()
  const app = clientOf(user, { onSessionEnd: ended })
  app.answer(never)
  holdTimers()
  const outcome = app.client.getMe().catch((error: unknown) => error)
  const attempts: number[] = []
  for (const ms of [7_999, 1, 8_000, 8_000]) {
    await vi.advanceTimersByTimeAsync(ms)
    attempts.push(requestsTo(app, REFRESH).length)
  }
  expect(attempts).toEqual([1, 2, 3, 4])
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await outcome).toMatchObject({ status: 0, code: 'network_error' })
  vi.useRealTimers()
  app.answer((_, forward) => forward())
  expect((await app.client.getMe()).id).toBe(user.id)
  expect(ended).not.toHaveBeenCalled()
})

test('a refresh that never settles, as in a Worker after its request has ended, fails those that wait for 30 s', async () => {
  const user = await registeredUser()
  let turns = 0
  const app = clientOf(user, { lock: (work) => (turns++ === 0 ? never() : work()) })
  holdTimers()
  const outcomes = Promise.allSettled([app.client.getMe(), app.client.getMe()])
  await vi.advanceTimersByTimeAsync(30_000)
  for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: 'network_error' } })
  vi.useRealTimers()
  expect((await app.client.getMe()).id).toBe(user.id)
  expect(turns).toBe(2)
})

test.each([
  { name: 'an HTML 403 of a proxy', status: 403, body: '<h1>Blocked</h1>', type: 'text/html' },
  { name: 'a 401 of a captive portal', status: 401, body: '{}', type: 'application/json' },
  { name: 'a 404 of the API', status: 404, body: '{"code":"not_found"}', type: 'application/problem+json' },
])('$name does not end the login', async ({ status, body, type }) => {
  const user = await registeredUser()
  const [store, ended] = [memoryStore(user.refreshToken), vi.fn()]
  const app = clientOf(user, { store, onSessionEnd: ended })
  app.answer(async () => new Response(body, { status, headers: { 'content-type': type } }))
  await expect(app.client.getMe()).rejects.toMatchObject({ status })
  expect([ended.mock.calls, await store.load()]).toEqual([[], user.refreshToken])
  app.answer((_, forward) => forward())
  expect((await app.client.getMe()).id).toBe(user.id)
})

test('new tokens that the store fails to save are used all the same, and saved by the next refresh', async () => {
  const user = await registeredUser()
  const kept = memoryStore(user.refreshToken)
  let failures = 1
  const store: TokenStore = {
    load: kept.load,
    save: (token) => {
      if (failures-- > 0) throw new Error('The disk is full')
      return kept.save(token)
    },
  }
  const app = clientOf(user, { store })
  await expect(app.client.getMe()).rejects.toThrow('The disk is full')
  expect((await app.client.getMe()).id).toBe(user.id)
  expect(requestsTo(app, REFRESH).length).toBe(1)
  clock.advance(TOKEN_LIFE_MS)
  expect((await app.client.getMe()).id).toBe(user.id)
  expect(await store.load()).not.toBe(user.refreshToken)
})

test('while a refresh fails, it is repeated as often as one request, and the call is not', async () => {
  const app = clientOf(await registeredUser())
  await app.client.getMe()
  clock.advance(TOKEN_LIFE_MS)
  app.answer(({ path }, forward) =>
    path === REFRESH ? Promise.resolve(new Response('{}', { status: 503 })) : forward(),
  )
  await expect(app.client.getLimits()).rejects.toMatchObject({ status: 503 })
  expect(requestsTo(app, REFRESH).length).toBe(5)
  expect(requestsTo(app, '/v1/limits').length).toBe(1)
})
