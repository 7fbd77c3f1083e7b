import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { expect, test, vi } from 'vitest'
import type { AccessGuard } from '../../../src/platform/security/access-guard.object.ts'
import { anonymousLimit, userLimit } from '../../../src/platform/security/rate-limit.ts'
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
  guardOf,
  isolateRateLimits,
  remaining,
  request,
  requestMany,
  useFreshKey,
} from '../../support/rate-limits.ts'

isolateRateLimits()

/** The maximum age of the account status that an isolate caches. */
const LEASE_S = 2

test('exactly 100 of 200 concurrent requests pass, with at most 20 calls to the AccessGuard', async () => {
  const { passed, refused, calls } = await requestMany(200, userLimit)
  expect([passed, refused]).toEqual([100, 100])
  expect(calls).toBeLessThanOrEqual(20)
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

test('a lease of ten requests is used up without writes to the AccessGuard, and ends with its window', async () => {
  const writes = () =>
    runInDurableObject(guardOf(), (_, state) => {
      const [row] = state.storage.sql.exec<{ n: number }>('SELECT total_changes() n').toArray()
      return row!.n
    })
  const before: number[] = []
  for (let left = 99; left >= 80; left--) {
    expect(await remaining()).toBe(left)
    before.push(await writes())
    advance(2.5)
  }
  expect(before[9]).toBe(before[0])
  expect(before[10]).toBe(before[0]! + 1)
  expect((await requestMany(100, userLimit)).passed).toBe(80)
  advance(60)
  expect(await remaining()).toBe(99)
})

test('a lease ends with its window, even if the AccessGuard answers late', async () => {
  await requestMany(1, userLimit)
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
  await requestMany(1, userLimit)
  advance(LEASE_S + 0.5)
  const answered = Promise.withResolvers<void>()
  const slow = {
    lease: async (...args: Parameters<AccessGuard['lease']>) => {
      const lease = await guardOf().lease(...args)
      await answered.promise
      return lease
    },
  }
  const first = request(userLimit, slow)
  advance(1)
  const second = request(userLimit, slow)
  answered.resolve()
  await Promise.all([first, second])
  expect((await requestMany(150, userLimit)).passed).toBe(97)
})

test('a quota lowered below the used requests refuses the next request after one AccessGuard call', async () => {
  await requestMany(60, userLimit)
  advance(LEASE_S + 0.5)
  const ctx = contextWith()
  ctx.config = { ...ctx.config, REQUESTS_PER_MINUTE: 50 }
  await expect(request(userLimit, undefined, ctx)).rejects.toMatchObject({ code: 'rate_limited' })
  expect(ctx.cost.objectCalls).toBe(1)
})

test('the request count survives the eviction of the AccessGuard', async () => {
  await requestMany(60, userLimit)
  await evictDurableObject(guardOf())
  advance(LEASE_S + 0.5)
  expect((await requestMany(100, userLimit)).passed).toBe(40)
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
  const passing = Promise.all([request(userLimit, guard), request(anonymousLimit, guard)])
  const unavailable = { code: 'unavailable', extra: { headers: { 'retry-after': '5' } } }
  const attempts = [loginLimit, loginPerNameLimit, registerLimit, verifyLimit, refreshLimit].map((name) =>
    expect(request(name, guard)).rejects.toMatchObject(unavailable),
  )
  expect(await passing).toEqual(Array(2).fill({ status: null, headers: {} }))
  await Promise.all(attempts)
})

test('concurrent requests share one call to a hanging AccessGuard, and later requests do not wait for it', async () => {
  const counting = { lease: vi.fn(() => new Promise(() => {})) }
  const sixRequests = () => Promise.all(Array.from({ length: 6 }, () => request(userLimit, counting)))
  expect(await sixRequests()).toEqual(Array(6).fill({ status: null, headers: {} }))
  expect(await sixRequests()).toHaveLength(6)
  expect(counting.lease).toHaveBeenCalledTimes(1)
  advance(LEASE_S + 0.5)
  expect(await remaining()).toBe(99)
})

test('a request that dies while it renews a lease does not block later requests', async () => {
  // Without the timer that ends its wait, the request never settles, like a request that died.
  vi.spyOn(globalThis, 'setTimeout').mockReturnValueOnce(0 as never)
  void request(userLimit, hanging)
  vi.useRealTimers()
  expect(await remaining()).toBe(99)
})
