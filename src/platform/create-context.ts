import { configOf } from './config.ts'
import type { SystemCtx } from './context.ts'
import { openDatabases } from './data/databases.ts'
import { committedIn } from './events/events.ts'
import { relay } from './events/relay.ts'
import { noCost } from './observability/cost.ts'
import { countingEnv } from './observability/counting-env.ts'
import { logOf } from './observability/log.ts'
import type { Trace } from './observability/trace.ts'

type Start = {
  env: Env
  waitUntil: (work: Promise<unknown>) => void
  trace?: Trace
  /** The D1 bookmarks that the client sent (`X-Bookmarks`). */
  bookmarks?: string
  /** Where a database session without a bookmark starts. */
  start?: 'first-primary' | 'first-unconstrained'
}

/** The context of a request, queue batch or scheduled run. Events committed through it are sent without delaying it. */
export function createContext({ env, waitUntil, trace = {}, bookmarks, start }: Start): SystemCtx {
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
    db: openDatabases(env, {
      cost,
      bookmarks,
      start,
      trace,
      now: () => ctx.now(),
      onCommit: (statements, results, source) => {
        const events = committedIn(statements, results, source)
        if (events.length > 0) defer(() => relay(ctx, events))
      },
    }),
  }
  return ctx
}
