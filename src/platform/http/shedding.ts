import type { SystemCtx } from '../context.ts'
import { QUERY_TIMEOUT_MS } from '../data/d1-session.ts'
import { unavailable } from '../failures.ts'
import { requestsInFlight, tripsInFlight } from '../observability/pending.ts'
import type { Operation } from './operation.ts'

/** What this isolate refuses while it has too much work: lists and feeds first, then every read. */
export type Shed = 'nothing' | 'lists' | 'reads'

/** So many round trips that take long are no single slow query, but a database that does not keep up. */
const SLOW_TRIPS = 3
const MAX_WAIT_S = 4

let reported: Shed = 'nothing'

/** From the requests in flight, and from the round trips to databases that have taken a tenth or half of their time. */
export function shedBy({ config, log }: Pick<SystemCtx, 'config' | 'log'>): Shed {
  const load = requestsInFlight.count() / config.MAX_REQUESTS_IN_FLIGHT
  const isSlow = (part: number) => tripsInFlight.count(QUERY_TIMEOUT_MS * part) >= SLOW_TRIPS
  const shed = load >= 2 || isSlow(0.5) ? 'reads' : load >= 1 || isSlow(0.1) ? 'lists' : 'nothing'
  if (shed !== reported) log.warn('the load has changed what is refused', { shed })
  reported = shed
  return shed
}

/**
 * Throws `unavailable` for a read that this isolate has no capacity for. Writes, logins, keys and sockets are never
 * refused. Costs no call and no query. Clients that wait a random time do not return together.
 */
export function requireCapacity(ctx: Pick<SystemCtx, 'config' | 'log'>, operation: Operation): void {
  if (operation.method !== 'get' || 'isSocket' in operation || operation.path.startsWith('/auth/')) return
  const shed = shedBy(ctx)
  if (shed === 'reads' || (shed === 'lists' && isList(operation))) {
    throw unavailable(1 + Math.floor(Math.random() * MAX_WAIT_S))
  }
}

const isList = ({ query }: Operation) => query !== undefined && 'cursor' in query.shape
