import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { SystemCtx } from '../../../src/platform/context.ts'
import type { AccessGuard } from '../../../src/platform/security/access-guard.object.ts'
import { type LimitName, limits, spend } from '../../../src/platform/security/rate-limit.ts'
import { contextWith } from '../../support/platform.ts'

let key = ''
let made = 0
let contexts: SystemCtx[] = []

beforeEach(() => {
  key = `someone-${made++}`
  contexts = []
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

function later(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1_000)
}

/** A request, in a context of its own, that may meet a limiter other than the real one. */
function request(name: LimitName, limiter?: object) {
  const ctx = contextWith()
  contexts.push(ctx)
  if (limiter) ctx.env = { ...env, LIMITER: { getByName: () => limiter } as unknown as typeof env.LIMITER }
  return spend(ctx, name, key)
}

async function outcomes(many: number, name: LimitName): Promise<{ passed: number; refused: number; calls: number }> {
  contexts = []
  const results = await Promise.allSettled(Array.from({ length: many }, () => request(name)))
  const refused = results.filter((result) => result.status === 'rejected')
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'rate_limited' })
  const calls = contexts.reduce((sum, { cost }) => sum + cost.objectCalls, 0)
  return { passed: many - refused.length, refused: refused.length, calls }
}

const remaining = async (name: LimitName = 'user') =>
  Number(/r=(\d+)/.exec((await request(name)).headers.ratelimit!)![1])
const limiter = (name: LimitName = 'user') => env.LIMITER.getByName(`${name}:${key}`)

test('of two hundred requests at once exactly a hundred pass, for at most a tenth of a call each', async () => {
  const { passed, refused, calls } = await outcomes(200, 'user')
  expect([passed, refused]).toEqual([100, 100])
  expect(calls).toBeLessThanOrEqual(20)
})

test('a refusal says when to come back, and then the window is open again', async () => {
  await outcomes(100, 'user')
  const refusal = await request('user').catch((error) => error)
  expect(refusal.extra.headers).toMatchObject({
    'ratelimit-policy': '"user";q=100;w=60',
    ratelimit: '"user";r=0;t=60',
    'retry-after': '60',
  })
  later(30)
  await expect(request('user')).rejects.toMatchObject({ extra: { headers: { 'retry-after': '30' } } })
  later(30)
  expect(await remaining()).toBe(99)
})

test('requests that were granted last until the window ends, and nothing is written before they are spent', async () => {
  const writes = async () =>
    runInDurableObject(limiter(), (_, state) => {
      const [row] = state.storage.sql.exec<{ n: number }>('SELECT total_changes() n').toArray()
      return row!.n
    })
  const before: number[] = []
  for (let left = 99; left >= 80; left--) {
    expect(await remaining()).toBe(left)
    before.push(await writes())
    later(2.5)
  }
  expect(before[9]).toBe(before[0])
  expect(before[10]).toBe(before[0]! + 1)
  expect((await outcomes(100, 'user')).passed).toBe(80)
  later(60)
  expect(await remaining()).toBe(99)
})

test('what is left of a lease ends with its window, though the limiter answers late', async () => {
  await outcomes(1, 'user')
  later(59)
  const late = {
    lease: async (...args: Parameters<AccessGuard['lease']>) => {
      later(1.5)
      return limiter().lease(...args)
    },
  }
  await request('user', late)
  expect((await outcomes(150, 'user')).passed).toBe(99)
})

test('two requests that ask at once count what is left once', async () => {
  await outcomes(1, 'user')
  later(2.5)
  let answer = () => {}
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  const slow = {
    lease: async (...args: Parameters<AccessGuard['lease']>) => {
      const lease = await limiter().lease(...args)
      await answered
      return lease
    },
  }
  const first = request('user', slow)
  later(1)
  const second = request('user', slow)
  answer()
  await Promise.all([first, second])
  expect((await outcomes(150, 'user')).passed).toBe(97)
})

test('a quota that is lowered while a window is open is spent, and nobody asks in circles', async () => {
  await outcomes(60, 'user')
  later(2.5)
  const ctx = contextWith()
  ctx.config = { ...ctx.config, REQUESTS_PER_MINUTE: 50 }
  await expect(spend(ctx, 'user', key)).rejects.toMatchObject({ code: 'rate_limited' })
  expect(ctx.cost.objectCalls).toBe(1)
})

test('the count survives the eviction of its object', async () => {
  await outcomes(60, 'user')
  await evictDurableObject(limiter())
  later(2.5)
  expect((await outcomes(100, 'user')).passed).toBe(40)
})

test('accounts, addresses and kinds of limit have budgets of their own', async () => {
  await outcomes(100, 'user')
  expect((await outcomes(12, 'login')).passed).toBe(10)
  expect(await remaining('anonymous')).toBe(299)
  key = 'another'
  expect(await remaining()).toBe(99)
})

test('what guards a password is counted one by one', async () => {
  for (const name of ['register', 'login', 'verify', 'refresh'] as const) {
    const { passed, calls } = await outcomes(limits[name].quota + 5, name)
    expect(passed).toBe(limits[name].quota)
    expect(calls).toBeGreaterThanOrEqual(limits[name].quota)
  }
})

const down = { lease: () => Promise.reject(new Error('down')) }
const hanging = { lease: () => new Promise(() => {}) }

test.each([
  ['down', down],
  ['hanging', hanging],
])('with a limiter that is %s ordinary requests pass, guesses at passwords do not', async (_, stub) => {
  const passing = Promise.all([request('user', stub), request('anonymous', stub)])
  const refused = { code: 'unavailable', extra: { headers: { 'retry-after': '5' } } }
  const guesses = (['login', 'loginPerName', 'register', 'verify', 'refresh'] as const).map((name) =>
    expect(request(name, stub)).rejects.toMatchObject(refused),
  )
  expect(await passing).toEqual(Array(2).fill({ standing: null, headers: {} }))
  await Promise.all(guesses)
})

test('requests do not queue up before a limiter that hangs: they wait for one answer, and those after them for none', async () => {
  const counting = { lease: vi.fn(() => new Promise(() => {})) }
  const many = () => Promise.all(Array.from({ length: 6 }, () => request('user', counting)))
  expect(await many()).toEqual(Array(6).fill({ standing: null, headers: {} }))
  expect(await many()).toHaveLength(6)
  expect(counting.lease).toHaveBeenCalledTimes(1)
  later(2.5)
  expect(await remaining()).toBe(99)
})

const stored = () =>
  runInDurableObject(limiter(), (_, state) =>
    state.storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'usage'").toArray(),
  )

test.each([
  ['an ended login', () => limiter().endSession('login 1')],
  ['void tokens', () => limiter().voidTokensBefore(Date.now())],
  ['a suspension that was lifted', () => limiter().setSuspended(false)],
])('a limiter that only heard of %s leaves no trace either', async (_, hear) => {
  await hear()
  expect(await stored()).toHaveLength(1)
  later(86_400)
  expect(await runDurableObjectAlarm(limiter())).toBe(true)
  expect(await stored()).toHaveLength(0)
})

test('a day after its last window a limiter leaves no trace, but for a suspension', async () => {
  await outcomes(10, 'user')
  await limiter().setSuspended(true)
  later(86_400)
  await runDurableObjectAlarm(limiter())
  expect(await stored()).toHaveLength(1)
  expect((await limiter().lease(limits.user, 0)).standing.suspended).toBe(true)
  await limiter().setSuspended(false)
  later(86_400)
  await runDurableObjectAlarm(limiter())
  expect(await stored()).toHaveLength(0)
  expect(await remaining()).toBe(99)
})

test.each([
  ['an ended login', () => limiter().endSession('login 1')],
  ['void tokens', () => limiter().voidTokensBefore(Date.now())],
])('a limiter that heard of %s just before it was to be forgotten still knows of it', async (_, hear) => {
  await request('user')
  later(86_300)
  await hear()
  later(100)
  const { standing } = await limiter().lease(limits.user, 0)
  expect(standing).not.toEqual({ suspended: false, notBefore: 0, endedSessions: [] })
  await runDurableObjectAlarm(limiter())
  expect((await limiter().lease(limits.user, 0)).standing).toEqual(standing)
})

test('a request that dies while asking for a lease blocks nobody for long', async () => {
  vi.spyOn(globalThis, 'setTimeout').mockReturnValueOnce(0 as never) // nobody is left to give up waiting
  void request('user', hanging)
  vi.useRealTimers()
  expect(await remaining()).toBe(99)
})

test('within two seconds every request knows how the account stands', async () => {
  expect((await request('user')).standing?.suspended).toBe(false)
  await limiter().setSuspended(true)
  await limiter().endSession('login 1')
  await limiter().endSession('login 2')
  await limiter().voidTokensBefore(500)
  await limiter().voidTokensBefore(400)
  later(2)
  expect((await request('user')).standing).toEqual({
    suspended: true,
    notBefore: 500,
    endedSessions: ['login 1', 'login 2'],
  })
  await evictDurableObject(limiter())
  await limiter().setSuspended(false)
  later(2)
  expect((await request('user')).standing).toMatchObject({ suspended: false, notBefore: 500 })
})

test('an ended login is remembered for as long as its access tokens live', async () => {
  await limiter().endSession('login 1')
  later(599)
  expect((await request('user')).standing?.endedSessions).toEqual(['login 1'])
  later(2)
  expect((await request('user')).standing?.endedSessions).toEqual([])
})
