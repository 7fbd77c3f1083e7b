import type { Config } from './config.ts'
import type { Databases } from './data/databases.ts'
import type { Id } from './data/ids.ts'
import type { Cost } from './observability/cost.ts'
import type { Log } from './observability/log.ts'
import type { Trace } from './observability/trace.ts'
import type { Rights } from './security/rights.ts'

/** Roles in rising order: each role may do everything that the roles before it may do. */
export const roles = ['user', 'moderator', 'admin'] as const
export type Role = (typeof roles)[number]

/** The caller, from a verified access token. */
export type Viewer = {
  id: Id
  role: Role
  scopes: ReadonlySet<string>
  /** The login to which the token belongs. Ending the login revokes the token. */
  sessionId: string
  /** Epoch ms. */
  issuedAt: number
  /** The app of another developer that acts for the account; absent for our own clients. */
  clientId?: string
  /** A login of a suspended person, whatever has happened to the suspension since. */
  isRestricted?: boolean
}

/** The context of everything that runs: verbs, subscriptions, tasks and jobs. */
export type SystemCtx = {
  env: Env
  config: Config
  db: Databases
  log: Log
  cost: Cost
  trace: Trace
  /** The current time, epoch ms. */
  now: () => number
  /** Runs work without delaying the response. The work may be lost: nothing confirmed to a client may depend on it. */
  defer: (work: () => Promise<unknown>) => void
  /** Called with the rows of a page before their records are loaded, so that a surface can load what belongs to them. */
  onRows?: (rows: readonly { id: Id }[]) => void
}

/** What a request reveals about the client that sent it. */
export type Client = {
  /** The IP address. */
  address: string | null
  userAgent: string | null
  /** City and country, as far as Cloudflare knows them. */
  place: string | null
}

export type Ctx = SystemCtx & {
  viewer: Viewer | null
  idempotencyKey?: string
  client?: Client
  /** What administrators gave an account. Absent where the caller may not use that. */
  readRights?: (ctx: Ctx, accountId: Id) => Promise<Rights>
  /** What the caller may do whatever it is done to, as the admission of this request has decided. */
  allowed?: Set<string>
  /** When (epoch ms) the person last entered the credentials of this login. */
  readLoginTime?: (ctx: Ctx, viewer: Viewer) => Promise<number>
}

export type UserCtx = Ctx & { viewer: Viewer }

/** The same context with these fields on each of its log lines. */
export function withLog<C extends SystemCtx>(ctx: C, fields: Record<string, unknown>): C {
  return { ...ctx, log: ctx.log.with(fields) }
}

/** The same context with another account as the viewer, to check what that account may see. */
export function asViewer(ctx: SystemCtx, accountId: Id): UserCtx {
  return { ...ctx, viewer: { id: accountId, role: 'user', scopes: new Set(), sessionId: '', issuedAt: 0 } }
}
