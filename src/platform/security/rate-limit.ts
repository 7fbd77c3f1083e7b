import type { SystemCtx } from '../context.ts'
import { Failure, unavailable } from '../failures.ts'
import { type Lease, leaseRequests, type Quota, returnRequest } from './access-guard.client.ts'
import { statusReader } from './account-status.ts'
import { Turns } from './turns.ts'

export type Limit = Quota & {
  name: string
  /** While the guard does not respond, requests pass (`open`) or are refused (`closed`). */
  failure: 'open' | 'closed'
  /** Requests leased at a time. With 1, the guard counts each request before the request proceeds. */
  lease: number
  /** Requests that each isolate lets pass in a window before it asks the guard, which then counts them too. */
  free?: number
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
export const userLimit: Limit = { name: 'user', quota: 100, window: 60, failure: 'open', lease: 10, free: 5 }
/** The general limit of a client address, for requests without a token. */
export const anonymousLimit: Limit = { name: 'anonymous', quota: 300, window: 60, failure: 'open', lease: 10, free: 5 }
/** The limit of a client address for requests that reach no operation: pages, unknown paths, refused tokens. */
export const addressLimit: Limit = { name: 'address', quota: 600, window: 60, failure: 'open', lease: 20, free: 5 }

/** How long the isolate may refuse by itself where requests are taken back, which other isolates do not tell. */
const REFUSING_MS = 2_000
/** Longer for limits that fail closed, because a new object starts slowly and a timeout refuses the request. */
const LEASE_TIMEOUT_MS = { open: 2_000, closed: 5_000 }
const MAX_REMEMBERED = 10_000

/** `free` requests of the window were counted by this isolate only. */
type Held = Pick<Lease, 'remaining' | 'resetsAt'> & { left: number; free: number; until: number }
const held = new Map<string, Held>()
const turns = new Turns('the access guard')

/** `headers` follow draft-ietf-httpapi-ratelimit-headers-11. There are none if the guard does not respond. */
export type Allowance = {
  headers: Record<string, string>
  /** What was counted, for `refund`. */
  counted?: { resetsAt: number; remaining: number }
}

/**
 * Counts a request. Throws `rate_limited`, or `unavailable` if the guard does not respond and the limit fails closed.
 * Exact for one isolate. With several, an account or address may exceed its limit by the `free` requests of each.
 */
export async function spend(ctx: SystemCtx, declared: Limit, key: string | ClientIp): Promise<Allowance> {
  const limit = effective(ctx, declared)
  const holding = await take(ctx, counterOf(limit, key), limit)
  if (!holding) {
    if (limit.failure === 'open') return { headers: {} }
    throw unavailable(5)
  }
  const { resetsAt, left } = holding
  const seconds = Math.max(1, Math.ceil((resetsAt - ctx.now()) / 1_000))
  const remaining = Math.max(0, holding.remaining + left)
  const headers = {
    'ratelimit-policy': `"${limit.name}";q=${limit.quota};w=${limit.window}`,
    ratelimit: `"${limit.name}";r=${remaining};t=${seconds}`,
  }
  if (left < 0)
    throw new Failure('rate_limited', undefined, { headers: { ...headers, 'retry-after': String(seconds) } })
  return { headers, counted: { resetsAt, remaining } }
}

function effective({ config }: SystemCtx, limit: Limit): Limit {
  return limit === userLimit ? { ...userLimit, quota: config.REQUESTS_PER_MINUTE } : limit
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
  const current = inForce(ctx, counterOf(limit, key))
  return current !== undefined && current.left <= 0 && current.remaining === 0
}

/** Whether this isolate knows without a call that `spend` will let the request pass. */
export function isLeased(ctx: SystemCtx, declared: Limit, key: string | ClientIp): boolean {
  const [limit, counter] = [effective(ctx, declared), counterOf(declared, key)]
  return ((inForce(ctx, counter) ?? begin(ctx, counter, limit))?.left ?? 0) > 0
}

/** The object `guard` counts all requests, and separately those of the address `part`. `id` is the key of the lease. */
type Counter = { id: string; guard: string; part: string | undefined }

function counterOf({ name }: Limit, key: string | ClientIp): Counter {
  const { network, address } = typeof key === 'string' ? { network: key, address: key } : key
  return { id: `${name}:${address}`, guard: `${name}:${network}`, part: address === network ? undefined : address }
}

function inForce(ctx: SystemCtx, { id, guard }: Counter): Held | undefined {
  const current = held.get(id) ?? held.get(guard)
  return current && Math.min(current.until, current.resetsAt) > ctx.now() ? current : undefined
}

/** `left` is negative if the limit is reached. Returns null if the guard does not respond. */
async function take(ctx: SystemCtx, counter: Counter, limit: Limit): Promise<Held | null> {
  for (;;) {
    const current = inForce(ctx, counter) ?? begin(ctx, counter, limit)
    if (current && current.left > 0) {
      current.left -= 1
      return { ...current }
    }
    if (current && current.remaining === 0) return { ...current, left: -1 }
    const timeout = LEASE_TIMEOUT_MS[limit.failure]
    if (!(await turns.take(ctx, counter.id, timeout, () => renew(ctx, counter, limit, current)))) return null
  }
}

/** Begins a window without the guard. Not for the addresses of a network, of which one client can have any number. */
function begin(ctx: SystemCtx, { id, part }: Counter, limit: Limit): Held | undefined {
  const free = part === undefined ? Math.min(limit.free ?? 0, Math.floor(limit.quota / 20)) : 0
  if (free === 0) return undefined
  const resetsAt = ctx.now() + limit.window * 1_000
  return hold(ctx, id, { free, left: free, remaining: limit.quota - free, resetsAt, until: resetsAt })
}

/** Forgets ended windows, and a tenth of the others: those that began first, whose callers use their `free` requests again. */
function makeRoom(now: number): void {
  for (const [id, { resetsAt }] of held) if (resetsAt <= now) held.delete(id)
  const surplus = held.size - 0.9 * MAX_REMEMBERED
  for (const id of held.keys().take(Math.max(0, surplus))) held.delete(id)
}

function hold(ctx: SystemCtx, id: string, holding: Held): Held {
  if (held.size >= MAX_REMEMBERED) makeRoom(ctx.now())
  held.set(id, holding)
  return holding
}

async function renew(ctx: SystemCtx, counter: Counter, limit: Limit, last: Held | undefined): Promise<void> {
  const { id, guard, part } = counter
  const spent = last && last.free > 0 ? { used: last.free, resetsAt: last.resetsAt } : undefined
  const remember = limit.name === userLimit.name ? statusReader(ctx, guard.slice(`${limit.name}:`.length)) : null
  const lease = await leaseRequests(ctx, guard, limit, limit.lease, { address: part, spent })
  remember?.(lease.status)
  // Read after the call, because the window may have ended or another request may have renewed the lease.
  const current = held.get(id)
  const kept = current?.resetsAt === lease.resetsAt ? current.left : 0
  const until = limit.lease === 1 ? ctx.now() + REFUSING_MS : lease.resetsAt
  hold(ctx, id, { ...lease, left: kept + lease.granted, free: 0, until })
  // Until the window ends, all addresses of the network are refused without a call.
  if (lease.isNetworkUsedUp) hold(ctx, guard, { ...lease, left: 0, free: 0, until: lease.resetsAt })
}
