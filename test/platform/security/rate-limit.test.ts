import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { expect, test, vi } from 'vitest'
import type { AccessGuard } from '../../../src/platform/security/access-guard.object.ts'
import { anonymousLimit, spend, userLimit } from '../../../src/platform/security/rate-limit.ts'
import {
  loginLimit,
  loginPerNameLimit,
  refreshLimit,
  registerLimit,
  verifyLimit,
} from '../../../src/services/identity/limits.ts'
import { contextWith } from '../../support/platform.ts'
import {
  advance,
  anotherLimiter,
  guardOf,
  isolateRateLimits,
  remaining,
  request,
  requestMany,
  useFreshKey,
} from '../../support/rate-limits.ts'

isolateRateLimits()

/** After this time, an isolate asks again a guard that did not answer. */
const RETRY_S = 2
const FREE = userLimit.free!

test('exactly 100 of 200 concurrent requests pass, with at most 20 calls to the AccessGuard', async () => {
  const { passed, refused, calls } = await requestMany(200, userLimit)
  expect([passed, refused]).toEqual([100, 100])
  expect(calls).toBeLessThanOrEqual(20)
})

test('several isolates let exactly the quota pass, and at most the free requests of each one more', async () => {
  const isolates = [await anotherLimiter(), await anotherLimiter(), await anotherLimiter()]
  const sent = isolates.flatMap((send) => Array.from({ length: 100 }, () => send(userLimit)))
  const passed = (await Promise.allSettled(sent)).filter(({ status }) => status === 'fulfilled').length
  expect(passed).toBeGreaterThanOrEqual(100)
  expect(passed).toBeLessThanOrEqual(100 + isolates.length * FREE)
  expect((await requestMany(10, userLimit)).passed).toBe(FREE)
})

test('the first requests of a window need no AccessGuard, which counts them with the first lease', async () => {
  expect((await requestMany(FREE, userLimit)).calls).toBe(0)
  expect(await remaining()).toBe(100 - FREE - 1)
  const { remaining: left } = await guardOf().lease(userLimit, 0)
  expect(left).toBe(100 - FREE - userLimit.lease)
})

test('with too many windows at once, only those that began first are forgotten', async () => {
  const ctx = contextWith()
  const spendAll = async (from: number, to: number) => {
    for (let n = from; n < to; n++) await spend(ctx, userLimit, `window-${n}`)
  }
  await spendAll(0, 9_900)
  for (let n = 0; n < FREE; n++) await spend(ctx, userLimit, 'late')
  await spendAll(9_900, 10_100)
  expect(ctx.cost.objectCalls).toBe(0)
  await spend(ctx, userLimit, 'late')
  expect(ctx.cost.objectCalls).toBe(1)
})

test('addresses of a network get no free requests, because one client can have any number of them', async () => {
  const ctx = contextWith()
  await spend(ctx, anonymousLimit, { network: '2001:db8:77::', address: '2001:db8:77:1::' })
  expect(ctx.cost.objectCalls).toBe(1)
})

test('a refused request has Retry-After, and requests pass again after that time', async () => {
  await requestMany(100, userLimit)
  await expect(request(userLimit)).rejects.toMatchObject({
    extra: {
      headers: {
        'ratelimit-policy': '"user";q=100;w=60',
        ratelimit: '"user";r=0;t=60',
        'retry-after': '60',
      },
    },
  })
  advance(30)
  await expect(request(userLimit)).rejects.toMatchObject({ extra: { headers: { 'retry-after': '30' } } })
  advance(30)
  expect(await remaining()).toBe(99)
})

test('below half of the quota, the AccessGuard writes nothing, and leases end with their window', async () => {
  const tables = () =>
    runInDurableObject(guardOf(), (_, state) =>
      state.storage.sql.exec("SELECT name FROM sqlite_schema WHERE name = 'usage'").toArray(),
    )
  for (let left = 99; left >= 60; left--) {
    expect(await remaining()).toBe(left)
    advance(1)
  }
  expect(await tables()).toEqual([])
  expect((await requestMany(100, userLimit)).passed).toBe(60)
  expect(await tables()).toHaveLength(1)
  advance(20)
  expect(await remaining()).toBe(99)
})

test('a lease ends with its window, even if the AccessGuard answers late', async () => {
  await requestMany(FREE, userLimit)
  advance(59)
  const late = {
    lease: async (...args: Parameters<AccessGuard['lease']>) => {
      advance(1.5)
      return guardOf().lease(...args)
    },
  }
  await request(userLimit, late)
  expect((await requestMany(150, userLimit)).passed).toBe(99)
})

test('two concurrent renewals of a lease count its unused requests once', async () => {
  await requestMany(FREE, userLimit)
  const answered = Promise.withResolvers<void>()
  const slow = {
    lease: async (...args: Parameters<AccessGuard['lease']>) => {
      const lease = await guardOf().lease(...args)
      await answered.promise
      return lease
    },
  }
  const first = request(userLimit, slow)
  advance(3)
  const second = request(userLimit, slow)
  answered.resolve()
  await Promise.all([first, second])
  const { passed } = await requestMany(150, userLimit)
  expect(passed).toBe(100 - FREE - 2 - FREE) // the free requests are reported twice
})

test('a quota lowered below the used requests refuses the next request after one AccessGuard call', async () => {
  await requestMany(60, userLimit)
  const leased = Number((await remaining()) - (await guardOf().lease(userLimit, 0)).remaining)
  await requestMany(leased, userLimit)
  const ctx = contextWith()
  ctx.config = { ...ctx.config, REQUESTS_PER_MINUTE: 50 }
  await expect(request(userLimit, undefined, ctx)).rejects.toMatchObject({ code: 'rate_limited' })
  expect(ctx.cost.objectCalls).toBe(1)
})

test('the request count survives the eviction of the AccessGuard', async () => {
  await requestMany(60, userLimit)
  await evictDurableObject(guardOf())
  expect((await requestMany(100, userLimit)).passed).toBe(40)
})

test('an AccessGuard that leaves the memory forgets at most half of a quota, and never an attempt to log in', async () => {
  await requestMany(30, userLimit)
  const used = 100 - (await guardOf().lease(userLimit, 0)).remaining
  await evictDurableObject(guardOf())
  expect(used).toBeLessThan(50)
  expect((await guardOf().lease(userLimit, 0)).remaining).toBe(100)
  await requestMany(4, loginLimit)
  await evictDurableObject(guardOf(loginLimit))
  expect((await requestMany(12, loginLimit)).passed).toBe(6)
})

test('each kind of limit and each key has its own budget', async () => {
  await requestMany(100, userLimit)
  expect((await requestMany(12, loginLimit)).passed).toBe(10)
  expect(await remaining(anonymousLimit)).toBe(299)
  useFreshKey()
  expect(await remaining()).toBe(99)
})

test('every register, login, verify and refresh attempt is counted by its own call to the AccessGuard', async () => {
  for (const limit of [registerLimit, loginLimit, verifyLimit, refreshLimit]) {
    const { passed, calls } = await requestMany(limit.quota + 5, limit)
    expect(passed).toBe(limit.quota)
    expect(calls).toBeGreaterThanOrEqual(limit.quota)
  }
})

const failing = { lease: () => Promise.reject(new Error('down')) }
const hanging = { lease: () => new Promise(() => {}) }

test.each([
  ['fails', failing],
  ['hangs', hanging],
])('while the AccessGuard %s, ordinary requests pass and authentication attempts are refused', async (_, guard) => {
  for (const limit of [userLimit, anonymousLimit]) await requestMany(FREE, limit)
  const passing = Promise.all([request(userLimit, guard), request(anonymousLimit, guard)])
  const unavailable = { code: 'unavailable', extra: { headers: { 'retry-after': '5' } } }
  const attempts = [loginLimit, loginPerNameLimit, registerLimit, verifyLimit, refreshLimit].map((name) =>
    expect(request(name, guard)).rejects.toMatchObject(unavailable),
  )
  expect(await passing).toEqual(Array(2).fill({ headers: {} }))
  await Promise.all(attempts)
})

test('concurrent requests share one call to a hanging AccessGuard, and later requests do not wait for it', async () => {
  await requestMany(FREE, userLimit)
  const counting = { lease: vi.fn(() => new Promise(() => {})) }
  const sixRequests = () => Promise.all(Array.from({ length: 6 }, () => request(userLimit, counting)))
  expect(await sixRequests()).toEqual(Array(6).fill({ headers: {} }))
  expect(await sixRequests()).toHaveLength(6)
  expect(counting.lease).toHaveBeenCalledTimes(1)
  advance(RETRY_S + 0.5)
  expect(await remaining()).toBe(100 - FREE - 1)
})

test('a request that dies while it renews a lease does not block later requests', async () => {
  await requestMany(FREE, userLimit)
  // Without the timer that ends its wait, the request never settles, like a request that died.
  vi.spyOn(globalThis, 'setTimeout').mockReturnValueOnce(0 as never)
  void request(userLimit, hanging)
  advance(RETRY_S)
  expect(await remaining()).toBe(100 - FREE - 1)
})
