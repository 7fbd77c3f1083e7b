import { type Config, configOf, type Env } from './config.ts'
import { type Cost, noCost } from './data/d1-session.ts'
import { type Databases, openDatabases } from './data/databases.ts'
import type { Id } from './data/ids.ts'
import type { Committed } from './events/events.ts'
import { relay } from './events/relay.ts'
import { type Log, log } from './observability/log.ts'

export type Role = 'user' | 'moderator' | 'admin'

/** Who is asking: what the verified access token says. */
export type Viewer = {
  id: Id
  role: Role
  scopes: ReadonlySet<string>
  /** The login that the token came from; ending it ends the token. */
  sessionId: string
  /** When the token was issued, epoch ms. */
  issuedAt: number
}

/** What every verb and subscriber runs in: the clock, the databases, the bindings, and a way to do work later. */
export type SystemCtx = {
  env: Env
  config: Config
  db: Databases
  log: Log
  cost: Cost
  /** The one clock, epoch ms. */
  now: () => number
  /** Work that outlives the answer. It may be lost with the isolate: nothing that was promised may hang on it. */
  defer: (work: () => Promise<unknown>) => void
}

/** A request, perhaps anonymous. */
export type Ctx = SystemCtx & { viewer: Viewer | null; idempotencyKey?: string }

/** A request of a known viewer. */
export type UserCtx = Ctx & { viewer: Viewer }

type Start = {
  env: Env
  waitUntil: (work: Promise<unknown>) => void
  log?: Log
  bookmarks?: string
  start?: 'first-primary' | 'first-unconstrained'
}

/** Makes the context of one request, queue batch or scheduled run. Events committed in it are relayed once it is answered. */
export function createContext({ env, waitUntil, log: own = log, bookmarks, start }: Start): SystemCtx {
  const cost = noCost()
  const defer = (work: () => Promise<unknown>) =>
    waitUntil(work().catch((error: unknown) => own.error('deferred work failed', { error })))
  const ctx: SystemCtx = {
    env,
    config: configOf(env),
    log: own,
    cost,
    now: () => Date.now(),
    defer,
    db: openDatabases(env, {
      cost,
      bookmarks,
      start,
      now: () => ctx.now(),
      onCommit: (events: Committed[]) => defer(() => relay(ctx, events)),
    }),
  }
  return ctx
}

/** The same context seen by another account, for asking what it may see. */
export function asViewer(ctx: SystemCtx, accountId: Id): UserCtx {
  return { ...ctx, viewer: { id: accountId, role: 'user', scopes: new Set(), sessionId: '', issuedAt: 0 } }
}
