import type { SystemCtx } from '../context.ts'
import type { Id } from '../data/ids.ts'
import type { Rights } from './rights.ts'

/** `quota` requests in `window` seconds. */
export type Quota = { quota: number; window: number }

export type AccountStatus = {
  suspended: boolean
  /** Access tokens issued at or before this time are revoked, epoch ms. */
  revokedBefore: number
  /** Ids of ended logins whose access tokens may not have expired yet. */
  endedSessions: string[]
  /** Absent if the guard does not know them. */
  rights?: Rights
  /** Ids of the API keys that are valid; undefined if the guard does not know all of them. */
  keys?: string[] | undefined
}

/** The caller may use `granted` requests until `resetsAt` (epoch ms). Further leases may grant `remaining` more. */
export type Lease = {
  granted: number
  remaining: number
  resetsAt: number
  status: AccountStatus
  /** Whether `remaining` is 0 for every address of the network. */
  isNetworkUsedUp?: boolean
}

/** `used` requests that passed before the guard was asked, in a window until `resetsAt` (epoch ms). */
export type Spent = { used: number; resetsAt: number }

/** Leases up to `wanted` requests from the guard `name`; 0 only reads the status of its account. */
export async function leaseRequests(
  ctx: SystemCtx,
  name: string,
  limit: Quota,
  wanted: number,
  { address, spent }: { address?: string | undefined; spent?: Spent | undefined } = {},
): Promise<Lease> {
  const { quota, window } = limit
  return ctx.env.GUARD.getByName(name).lease({ quota, window }, wanted, address, spent)
}

/** Takes back a request that `leaseRequests` granted in the window that ends at `resetsAt`. */
export async function returnRequest(ctx: SystemCtx, name: string, resetsAt: number, address?: string): Promise<void> {
  await ctx.env.GUARD.getByName(name).refund(resetsAt, address)
}

export function accountGuard(ctx: SystemCtx, accountId: Id) {
  return ctx.env.GUARD.getByName(`user:${accountId}`)
}
