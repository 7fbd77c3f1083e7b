import type { Context, MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import { matchedRoutes } from 'hono/route'
import { configOf } from '../config.ts'
import type { SystemCtx } from '../context.ts'
import { QUERY_TIMEOUT_MS } from '../data/d1-session.ts'
import { unavailable } from '../failures.ts'
import { noCost } from '../observability/cost.ts'
import { logOf } from '../observability/log.ts'
import { measure } from '../observability/metrics.ts'
import { requestsInFlight, tripsInFlight } from '../observability/pending.ts'
import type { AppEnv } from './app-env.ts'
import type { Operation } from './operation.ts'
import { problemResponse } from './problems.ts'

/** What this isolate refuses while it has too much work: lists and feeds first, then every read, and at last writes. */
const levels = ['nothing', 'lists', 'reads', 'writes'] as const
export type Shed = (typeof levels)[number]
type Load = Pick<SystemCtx, 'config' | 'log'>

/** So many round trips that take long are no single slow query, but a database that does not keep up. */
const SLOW_TRIPS = 3
const MAX_WAIT_S = 4

let reported: Shed = 'nothing'

/** From the requests in flight, and from the round trips to databases that have taken a tenth or half of their time. */
export function shedBy({ config, log }: Load): Shed {
  const shed = levelOf(requestsInFlight.count() / config.MAX_REQUESTS_IN_FLIGHT)
  if (shed !== reported) log.warn('the load has changed what is refused', { shed })
  reported = shed
  return shed
}

function levelOf(load: number): Shed {
  const isSlow = (part: number) => tripsInFlight.count(QUERY_TIMEOUT_MS * part) >= SLOW_TRIPS
  if (load >= 2) return 'writes'
  if (load >= 1.5 || isSlow(0.5)) return 'reads'
  return load >= 1 || isSlow(0.1) ? 'lists' : 'nothing'
}

/** The level from which an operation is refused; null for logins, keys and sockets, which never are. */
function refusedFrom(operation: Operation): Shed | null {
  const { method, path, query } = operation
  if ('isSocket' in operation || path.startsWith('/auth/')) return null
  if (method !== 'get') return 'writes'
  return query !== undefined && 'cursor' in query.shape ? 'lists' : 'reads'
}

function isRefused(load: () => Load, operation: Operation): boolean {
  const from = refusedFrom(operation)
  return from !== null && levels.indexOf(shedBy(load())) >= levels.indexOf(from)
}

/** Clients that wait a random time do not return together. */
const refusal = () => unavailable(1 + Math.floor(Math.random() * MAX_WAIT_S))

/** Throws `unavailable` for an operation that this isolate has no capacity for. Costs no call and no query. */
export function requireCapacity(ctx: Load, operation: Operation): void {
  if (isRefused(() => ctx, operation)) throw refusal()
}

const served = new WeakMap<object, Operation>()

/** Lets `shedding` refuse the requests of a handler. */
export function mayShed<H extends MiddlewareHandler<AppEnv>>(handler: H, operation: Operation): H {
  served.set(handler, operation)
  return handler
}

/** Refuses before a token is read and a context is made, and writes no log line: else refusals would overload the isolate. */
export const shedding = createMiddleware<AppEnv>(async function shed(c, next) {
  const route = matchedRoutes(c).findLast(({ handler }) => served.has(handler))
  const operation = route && served.get(route.handler)
  if (!operation || !isRefused(() => loadOf(c), operation)) return next()
  measure(c.env, { method: c.req.method, route: route.path, status: 503, ms: 0, cost: noCost() })
  return problemResponse(c, refusal())
})

function loadOf({ env }: Context<AppEnv>): Load {
  const config = configOf(env)
  return { config, log: logOf(config) }
}
