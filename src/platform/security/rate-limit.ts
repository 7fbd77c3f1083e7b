import type { SystemCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import { Failure, unavailable } from '../failures.ts'
import { withTimeout } from '../timeout.ts'
import { type AccountStatus, type Lease, leaseRequests, type Quota, returnRequest } from './access-guard.client.ts'

export type Limit = Quota & {
  name: string
  /** While the guard does not respond, requests pass (`open`) or are refused (`closed`). */
  failure: 'open' | 'closed'
  /** Requests leased at a time. With 1, the guard counts each request before the request proceeds. */
  lease: number
}

const declared = new Set<string>()

/** The owner of an IPv6 `network` can send from each `address` in it, so the network has a budget too, a larger one. */
export type ClientIp = { network: string; address: string }

/** Declares a limit of a service under a unique name. It fails closed, and leases one request at a time. */
export function defineLimit(name: string, { quota, window }: Quota): Limit {
  if (declared.has(name)) throw new Error(`the limit ${name} is declared twice`)
  declared.add(name)
  return { name, quota, window, failure: 'closed', lease: 1 }
}

/** The general limit of an account. `spend` replaces its quota with `REQUESTS_PER_MINUTE`. */
export const userLimit: Limit = { name: 'user', quota: 100, window: 60, failure: 'open', lease: 10 }
/** The general limit of a client address, for requests without a token. */
export const anonymousLimit: Limit = { name: 'anonymous', quota: 300, window: 60, failure: 'open', lease: 10 }
/** The limit of a client address for requests that reach no operation: pages, unknown paths, refused tokens. */
export const addressLimit: Limit = { name: 'address', quota: 600, window: 60, failure: 'open', lease: 20 }

const FRESH_MS = 2_000
/** Longer for limits that fail closed, because a new object starts slowly and a timeout refuses the request. */
const LEASE_TIMEOUT_MS = { open: 2_000, closed: 5_000 }
const POLL_INTERVAL_MS = 3
const MAX_REMEMBERED = 10_000

type Held = { lease: Lease; left: number; until: number }
const held = new Map<string, Held>()
const renewals = new Map<string, number>()
/** Until when (epoch ms) a guard that did not respond is not called again, so that requests do not queue up. */
const unavailableUntil = new Map<string, number>()

/** `status` is null when the guard does not respond. `headers` follow draft-ietf-httpapi-ratelimit-headers-11. */
export type Allowance = {
  status: AccountStatus | null
  headers: Record<string, string>
  /** What was counted, for `refund`. */
  counted?: { resetsAt: number; remaining: number }
}

/**
 * Counts a request. The account status in the result is at most two seconds old. Throws `rate_limited`, or `unavailable`
 * if the guard does not respond and the limit fails closed.
 */
export async function spend(ctx: SystemCtx, declared: Limit, key: string | ClientIp): Promise<Allowance> {
  const limit = declared === userLimit ? { ...userLimit, quota: ctx.config.REQUESTS_PER_MINUTE } : declared
  const holding = await take(ctx, counterOf(limit, key), limit)
  if (!holding) {
    if (limit.failure === 'open') return { status: null, headers: {} }
    throw unavailable(5)
  }
  const { lease, left } = holding
  const seconds = Math.max(1, Math.ceil((lease.resetsAt - ctx.now()) / 1_000))
  const remaining = Math.max(0, lease.remaining + left)
  const headers = {
    'ratelimit-policy': `"${limit.name}";q=${limit.quota};w=${limit.window}`,
    ratelimit: `"${limit.name}";r=${remaining};t=${seconds}`,
  }
  if (left < 0)
    throw new Failure('rate_limited', undefined, { headers: { ...headers, 'retry-after': String(seconds) } })
  return { status: lease.status, headers, counted: { resetsAt: lease.resetsAt, remaining } }
}

/** Like `spend`, but returns null instead of throwing `rate_limited`. */
export function trySpend(ctx: SystemCtx, limit: Limit, key: string | ClientIp): Promise<Allowance | null> {
  return spend(ctx, limit, key).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'rate_limited') return null
    throw error
  })
}

/** Takes back what `spend` counted, for a limit that counts failures only. */
export async function refund(
  ctx: SystemCtx,
  limit: Limit,
  key: string | ClientIp,
  { counted }: Allowance,
): Promise<void> {
  if (!counted) return
  const { id, guard, part } = counterOf(limit, key)
  await returnRequest(ctx, guard, counted.resetsAt, part)
  // The next request asks the guard, instead of being refused because of what was taken back.
  if (held.get(id)?.left === 0) held.delete(id)
  held.delete(guard)
}

/** Whether this isolate knows without a call that `spend` would refuse. */
export function isUsedUp(ctx: SystemCtx, limit: Limit, key: string | ClientIp): boolean {
  const current = held.get(counterOf(limit, key).id)
  const isCurrent = current && Math.min(current.until, current.lease.resetsAt) > ctx.now()
  return !!isCurrent && current.left <= 0 && current.lease.remaining === 0
}

/** What the current lease of the account says; null if this isolate has none. */
export function leasedStatus(ctx: SystemCtx, accountId: Id): AccountStatus | null {
  const current = held.get(`${userLimit.name}:${accountId}`)
  return current && current.until > ctx.now() ? current.lease.status : null
}

/** Makes this isolate read the status of the account again with its next request. */
export function forgetStatus(accountId: Id): void {
  const current = held.get(`${userLimit.name}:${accountId}`)
  if (current) current.until = 0
}

/** The object `guard` counts all requests, and separately those of the address `part`. `id` is the key of the lease. */
type Counter = { id: string; guard: string; part: string | undefined }

function counterOf({ name }: Limit, key: string | ClientIp): Counter {
  const { network, address } = typeof key === 'string' ? { network: key, address: key } : key
  return { id: `${name}:${address}`, guard: `${name}:${network}`, part: address === network ? undefined : address }
}

/**
 * `left` is negative if the limit is reached. Returns null if the guard does not respond. One request renews the lease
 * and the others poll, because a promise that requests share would die with the request that created it.
 */
async function take(ctx: SystemCtx, counter: Counter, limit: Limit): Promise<{ lease: Lease; left: number } | null> {
  const { id, guard } = counter
  for (;;) {
    const now = ctx.now()
    const current = held.get(id) ?? held.get(guard)
    if (current && current.until > now && current.lease.resetsAt > now) {
      if (current.left > 0) {
        current.left -= 1
        return { lease: current.lease, left: current.left }
      }
      if (current.lease.remaining === 0) return { lease: current.lease, left: -1 }
    }
    if ((unavailableUntil.get(id) ?? 0) > now) return null
    if ((renewals.get(id) ?? 0) > now - LEASE_TIMEOUT_MS[limit.failure]) await scheduler.wait(POLL_INTERVAL_MS)
    else await renew(ctx, counter, limit, current)
  }
}

async function renew(
  ctx: SystemCtx,
  { id, guard, part }: Counter,
  limit: Limit,
  last: Held | undefined,
): Promise<void> {
  const started = ctx.now()
  renewals.set(id, started)
  const wanted = last && last.left > 0 && last.lease.resetsAt > started ? 0 : limit.lease
  try {
    const lease = await withTimeout(leaseRequests(ctx, guard, limit, wanted, part), LEASE_TIMEOUT_MS[limit.failure])
    if (held.size > MAX_REMEMBERED) held.clear()
    // Read after the call, because the window may have ended or another request may have renewed the lease.
    const current = held.get(id)
    const kept = current?.lease.resetsAt === lease.resetsAt ? current.left : 0
    held.set(id, { lease, left: kept + lease.granted, until: ctx.now() + FRESH_MS })
    // Until the window ends, all addresses of the network are refused without a call.
    if (lease.isNetworkUsedUp) held.set(guard, { lease, left: 0, until: lease.resetsAt })
  } catch (error) {
    ctx.log.error('the access guard does not answer', { limit: limit.name, error })
    if (unavailableUntil.size > MAX_REMEMBERED) unavailableUntil.clear()
    unavailableUntil.set(id, ctx.now() + FRESH_MS)
  } finally {
    if (renewals.get(id) === started) renewals.delete(id)
  }
}
