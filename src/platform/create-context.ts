import { configOf } from './config.ts'
import type { SystemCtx } from './context.ts'
import { type Databases, openDatabases } from './data/databases.ts'
import { waves } from './data/waves.ts'
import { committedIn } from './events/events.ts'
import { relay } from './events/relay.ts'
import { noCost } from './observability/cost.ts'
import { countingEnv } from './observability/counting-env.ts'
import { logOf } from './observability/log.ts'
import type { Trace } from './observability/trace.ts'

type Opening = {
  bookmarks?: string
  /** Where a database session without a bookmark starts. */
  start?: 'first-primary' | 'first-unconstrained'
  inWaves?: boolean
}

type Start = Opening & {
  env: Env
  waitUntil: (work: Promise<unknown>) => void
  trace?: Trace
}

/** The context of a request, queue batch or scheduled run. Events committed through it are sent without delaying it. */
export function createContext({ env, waitUntil, trace = {}, ...opening }: Start): SystemCtx {
  const cost = noCost()
  const config = configOf(env)
  const own = logOf(config).with(trace)
  const defer = (work: () => Promise<unknown>) =>
    waitUntil(work().catch((error: unknown) => own.error('deferred work failed', { error })))
  const ctx: SystemCtx = {
    env: countingEnv(env, cost),
    config,
    log: own,
    cost,
    trace,
    now: () => Date.now(),
    defer,
    db: databasesFor(env, { cost, trace }, opening, () => ctx),
  }
  return ctx
}

/** The same context with newly opened databases, for work with bookmarks or a pace of its own. */
export function withDatabases<C extends SystemCtx>(ctx: C, opening: Opening): C {
  return { ...ctx, db: databasesFor(ctx.env, ctx, opening, () => ctx) }
}

function databasesFor(
  env: Env,
  { cost, trace }: Pick<SystemCtx, 'cost' | 'trace'>,
  { inWaves, ...opening }: Opening,
  current: () => SystemCtx,
): Databases {
  return openDatabases(env, {
    ...opening,
    pace: inWaves ? waves() : undefined,
    cost,
    trace,
    now: () => current().now(),
    onCommit: (statements, results, source) => {
      const events = committedIn(statements, results, source)
      if (events.length > 0) current().defer(() => relay(current(), events))
    },
  })
}
