import type { SystemCtx } from '../context.ts'
import { Failure } from '../http/errors.ts'
import { withTimeout } from '../timeout.ts'
import type { AccountStatus, Lease, Quota } from './access-guard.object.ts'

type Limit = Quota & {
  /** `open`: when the limiter does not answer, requests pass. `closed`: they are refused. */
  failure: 'open' | 'closed'
  /** Requests asked for at a time. Where every attempt must be counted at once, one. */
  lease: number
}

/**
 * The budgets. `user` and `verify` are per account, `loginPerName` per name that is logged in with, the rest per client
 * address unless their caller says otherwise. What `login` lets one address try in an hour is less than what
 * `loginPerName` holds: wrong tries at one address do not keep the owner out at another, and those at many are bounded.
 */
export const limits = {
  user: { quota: 100, window: 60, failure: 'open', lease: 10 },
  anonymous: { quota: 300, window: 60, failure: 'open', lease: 10 },
  register: { quota: 20, window: 3_600, failure: 'closed', lease: 1 },
  login: { quota: 10, window: 300, failure: 'closed', lease: 1 },
  loginPerName: { quota: 300, window: 3_600, failure: 'closed', lease: 1 },
  verify: { quota: 10, window: 3_600, failure: 'closed', lease: 1 },
  refresh: { quota: 60, window: 60, failure: 'closed', lease: 1 },
} as const satisfies Record<string, Limit>
export type LimitName = keyof typeof limits

const FRESH_MS = 2_000
/** How long an answer is waited for. Where requests would be refused without one: a new object takes its time to start. */
const LEASE_TIMEOUT_MS = { open: 2_000, closed: 5_000 }
type Held = { lease: Lease; left: number; until: number }
const held = new Map<string, Held>()
const asking = new Map<string, number>()
/** Until when a limiter that did not answer is not asked again, so that its requests do not queue up. */
const silent = new Map<string, number>()

/** How the account stands, null when the limiter does not say; and what to tell the client: draft-ietf-httpapi-ratelimit-headers-11. */
export type Allowance = { standing: AccountStatus | null; headers: Record<string, string> }

/**
 * Spends one request of `key`'s budget. Throws `rate_limited` with Retry-After when there is none left. At most two
 * seconds old, the answer also says how the account stands (`AccountStatus`).
 */
export async function spend(ctx: SystemCtx, name: LimitName, key: string): Promise<Allowance> {
  const limit: Limit = name === 'user' ? { ...limits.user, quota: ctx.config.REQUESTS_PER_MINUTE } : limits[name]
  const id = `${name}:${key}`
  const holding = await take(ctx, id, limit)
  if (!holding) {
    if (limit.failure === 'open') return { standing: null, headers: {} }
    throw new Failure('unavailable', undefined, { headers: { 'retry-after': '5' } })
  }
  const { lease, left } = holding
  const seconds = Math.max(1, Math.ceil((lease.resetsAt - ctx.now()) / 1_000))
  const headers = {
    'ratelimit-policy': `"${name}";q=${limit.quota};w=${limit.window}`,
    ratelimit: `"${name}";r=${Math.max(0, lease.remaining + left)};t=${seconds}`,
  }
  if (left < 0)
    throw new Failure('rate_limited', undefined, { headers: { ...headers, 'retry-after': String(seconds) } })
  return { standing: lease.standing, headers }
}

/**
 * Takes one request from the lease in hand; `left` < 0: none; null when the limiter does not answer. The limiter is asked
 * when the lease is spent, or when what it says of the account is two seconds old; what is left of a lease then stays good,
 * so that nothing need be written. One request asks and the others look again shortly: a promise shared between requests
 * would die with its maker.
 */
async function take(ctx: SystemCtx, id: string, limit: Limit): Promise<{ lease: Lease; left: number } | null> {
  for (;;) {
    const now = ctx.now()
    const mine = held.get(id)
    if (mine && mine.until > now && mine.lease.resetsAt > now) {
      if (mine.left > 0) {
        mine.left -= 1
        return { lease: mine.lease, left: mine.left }
      }
      if (mine.lease.remaining === 0) return { lease: mine.lease, left: -1 }
    }
    if ((silent.get(id) ?? 0) > now) return null
    if ((asking.get(id) ?? 0) > now - LEASE_TIMEOUT_MS[limit.failure]) await scheduler.wait(3)
    else await ask(ctx, id, limit, mine)
  }
}

async function ask(ctx: SystemCtx, id: string, limit: Limit, last: Held | undefined): Promise<void> {
  const started = ctx.now()
  asking.set(id, started)
  ctx.cost.objectCalls += 1
  const wanted = last && last.left > 0 && last.lease.resetsAt > started ? 0 : limit.lease
  try {
    const lease = await withTimeout(ctx.env.LIMITER.getByName(id).lease(limit, wanted), LEASE_TIMEOUT_MS[limit.failure])
    if (held.size > 10_000) held.clear()
    // Looked up only now: the window may have ended meanwhile, or another have asked too.
    const mine = held.get(id)
    const kept = mine?.lease.resetsAt === lease.resetsAt ? mine.left : 0
    held.set(id, { lease, left: kept + lease.granted, until: ctx.now() + FRESH_MS })
  } catch (error) {
    ctx.log.error('the rate limiter does not answer', { limit: id.split(':', 1)[0], error })
    if (silent.size > 10_000) silent.clear()
    silent.set(id, ctx.now() + FRESH_MS)
  } finally {
    if (asking.get(id) === started) asking.delete(id)
  }
}
