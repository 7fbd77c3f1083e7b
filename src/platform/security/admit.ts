import type { Ctx, UserCtx, Viewer } from '../context.ts'
import type { Id } from '../data/ids.ts'
import { Failure } from '../failures.ts'
import {
  type AccountStatusSource,
  ownClientsOnly,
  type Requirement,
  requireActiveLogin,
  requirePermission,
  requireScope,
} from './access.ts'
import type { AccountStatus } from './access-guard.client.ts'
import { accountStatus } from './account-status.ts'
import { isApiKey } from './key-logins.ts'
import { type Allowance, anonymousLimit, type ClientIp, isLeased, type Limit, spend, userLimit } from './rate-limit.ts'
import type { Scope } from './scopes.ts'

/** A request with its client address, and a way to read its account's status without the guard. */
export type RequestCtx = Ctx & {
  clientIp: ClientIp
  /** The general limit of a caller without an account; `anonymousLimit` by default. */
  callerLimit?: Limit
  readAccountStatus: AccountStatusSource
  readLoginTime: NonNullable<Ctx['readLoginTime']>
}

/** How long credentials count as entered recently, for operations that require a fresh login. */
export const FRESH_LOGIN_MINUTES = 10

/** What an operation requires of its caller. */
export type Rule = Requirement & {
  /** Whether the person must have entered the credentials of this login within the last ten minutes. */
  fresh?: boolean
  /** Whether the operation refuses API keys, because it manages how the person logs in. `fresh` refuses them too. */
  login?: boolean
  /** Whether apps of other developers are refused. They are refused too where a fresh login or a role is required. */
  ownClients?: boolean
  /** Whether a suspended person may do this too, with a login of our own clients. */
  whileSuspended?: boolean
  /** A limit per client address, in addition to the general limit. */
  limit?: Limit
}

/** Surfaces call this before every operation. `report` gets rate limit headers. Throws like `requireActiveLogin`, `requirePermission` and `spend`. */
export async function admit(
  ctx: RequestCtx,
  { fresh, login, ownClients, whileSuspended, limit, ...requirement }: Rule,
  report: (headers: Record<string, string>) => void = () => {},
): Promise<void> {
  const { viewer, clientIp } = ctx
  const general = await countRequest(ctx)
  report(general.headers)
  const isPerson = viewer !== null && viewer.clientId === undefined && !isApiKey(viewer)
  if (viewer) requireActiveLogin(viewer, await currentStatus(ctx, viewer), isPerson && whileSuspended)
  await requirePermission(ctx, requirement)
  if (viewer && isApiKey(viewer) && (fresh || login)) throw new Failure('forbidden', 'API keys cannot do this')
  if (viewer?.clientId !== undefined && (ownClients || fresh)) throw ownClientsOnly()
  if (limit) await spend(ctx, limit, clientIp)
  if (fresh && viewer) await requireFreshLogin(ctx, viewer)
}

/** Reads the status from the databases if neither feed nor guard answers, or the guard does not know the API keys. */
async function currentStatus(ctx: RequestCtx, viewer: Viewer): Promise<AccountStatus> {
  const status = await accountStatus(ctx, viewer)
  const isKnown = status && (!isApiKey(viewer) || status.keys)
  return isKnown ? status : ctx.readAccountStatus(ctx, viewer)
}

/** Counts a request for the general limit of its caller. Throws like `spend`. */
export function countRequest(ctx: RequestCtx): Promise<Allowance> {
  return spend(ctx, ...generalLimit(ctx))
}

function generalLimit({ viewer, clientIp, callerLimit = anonymousLimit }: RequestCtx): [Limit, Id | ClientIp] {
  return viewer ? [userLimit, viewer.id] : [callerLimit, clientIp]
}

/** Whether a lease pays for the request, and nothing known refuses it. Always false for rules that need more than a role and a scope. */
export function mayBeAdmitted(ctx: RequestCtx, { access, scope, ...further }: Rule): boolean {
  const { action, fresh, login, ownClients, limit } = further
  if (action || fresh || login || ownClients || limit || !isLeased(ctx, ...generalLimit(ctx))) return false
  try {
    return requirePermission(ctx, { access, scope }) === null
  } catch {
    return false
  }
}

/** For verbs that write to what belongs to others only sometimes: what `scope` and `fresh` require of an operation. */
export async function requireStaffWrite(ctx: UserCtx, scope: Scope): Promise<void> {
  if (ctx.viewer.clientId !== undefined) throw ownClientsOnly()
  requireScope(ctx.viewer, scope)
  await requireFreshLogin(ctx, ctx.viewer)
}

async function requireFreshLogin(ctx: Ctx, viewer: Viewer): Promise<void> {
  const loggedInAt = isApiKey(viewer) ? 0 : ((await ctx.readLoginTime?.(ctx, viewer)) ?? 0)
  if (loggedInAt <= ctx.now() - FRESH_LOGIN_MINUTES * 60_000) throw new Failure('fresh_login_required')
}
