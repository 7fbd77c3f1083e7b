import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { SystemCtx } from '../../src/platform/context.ts'
import { type Id, toId } from '../../src/platform/data/ids.ts'
import { type Allowance, type Limit, spend, userLimit } from '../../src/platform/security/rate-limit.ts'
import { contextWith } from './platform.ts'

let key: Id
let keys = 0

/** Gives each test its own rate limit key, a stopped clock and a muted log. */
export function isolateRateLimits(): void {
  beforeEach(() => {
    useFreshKey()
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.spyOn(console, 'log').mockImplementation(() => {})
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })
}

export function useFreshKey(): void {
  key = toId(1_000_000 + keys++)
}

export const keyOf = () => key

export function advance(seconds: number): void {
  vi.setSystemTime(Date.now() + seconds * 1_000)
}

/** The Durable Object that counts the requests of the current key. */
export const guardOf = ({ name } = userLimit) => env.GUARD.getByName(`${name}:${key}`)

/** Counts requests of the current key in another isolate. */
export async function anotherLimiter(): Promise<(limit: Limit) => Promise<Allowance>> {
  vi.resetModules()
  const { spend: spendThere, ...limits } = await import('../../src/platform/security/rate-limit.ts')
  return (limit) => spendThere(contextWith(), limit === userLimit ? limits.userLimit : limit, key)
}

/** Counts one request of the current key against `limit`. If given, `guard` replaces the Durable Object. */
export function request(limit: Limit, guard?: object, ctx: SystemCtx = contextWith()): Promise<Allowance> {
  if (guard) ctx.env = { ...env, GUARD: { getByName: () => guard } as unknown as typeof env.GUARD }
  return spend(ctx, limit, key)
}

/** Counts `many` concurrent requests. Returns how many pass and are refused, and the calls to the Durable Object. */
export async function requestMany(many: number, limit: Limit) {
  const contexts = Array.from({ length: many }, () => contextWith())
  const results = await Promise.allSettled(contexts.map((ctx) => request(limit, undefined, ctx)))
  const refused = results.filter((result) => result.status === 'rejected')
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 'rate_limited' })
  const calls = contexts.reduce((sum, { cost }) => sum + cost.objectCalls, 0)
  return { passed: many - refused.length, refused: refused.length, calls }
}

/** Counts one request against `limit`, and returns how many requests are left. */
export async function remaining(limit: Limit = userLimit): Promise<number> {
  const { headers } = await request(limit)
  return Number(/r=(\d+)/.exec(headers.ratelimit!)![1])
}

/** Uses up the budget of a client address: in its AccessGuard, and the free requests of this isolate. */
export async function useUp(limit: Limit, address: string): Promise<void> {
  const { name, quota, window, free = 0 } = limit
  const guard = env.GUARD.getByName(`${name}:${address}`)
  while ((await guard.lease({ quota, window }, quota)).remaining > 0);
  for (let n = 0; n < free; n++) await spend(contextWith(), limit, { network: address, address })
}
