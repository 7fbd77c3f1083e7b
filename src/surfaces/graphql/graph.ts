import type { Ctx } from '../../platform/context.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import type { Noun } from '../../platform/graphql/noun.ts'
import type { RequestCtx } from '../../platform/security/admit.ts'
import { batched } from './batched.ts'

type Record = object | null

/** The state of one execution: a query, a mutation, or one event of a subscription. */
export type Graph = {
  /** The context that operations are admitted with. */
  ctx: RequestCtx
  /** The context with which fields read: its databases send selects in waves. Replaced after each write. */
  reads: Ctx
  /** What has been read, by operation and input, so that equal fields are read once. */
  calls: Map<string, Promise<unknown>>
  /** By noun and shard. */
  loaders: Map<string, (id: Id) => Promise<Record>>
  /** Settles after the admission of the root fields so far. */
  admissions: Promise<unknown>
  /** Gets the rate limit headers. */
  report: (headers: { [name: string]: string }) => void
  /** How many requests the query counts as, besides those of its root fields. */
  surcharge: number
  /** Whether an operation was admitted, which counts the request. */
  isAdmitted: boolean
  /** The response keys of mutations whose idempotency key had been used before. */
  replayed: string[]
}

/** What Yoga passes to resolvers. */
export type GraphContext = { graph: Graph }

export function newGraph(ctx: RequestCtx, reads: Ctx, report: Graph['report']): Graph {
  const admissions = Promise.resolve()
  const caches = { calls: new Map(), loaders: new Map() }
  return { ctx, reads, ...caches, admissions, report, surcharge: 0, isAdmitted: false, replayed: [] }
}

/** Makes fields read again, through `reads`. */
export function renew(graph: Graph, reads: Ctx): void {
  Object.assign(graph, { reads, calls: new Map(), loaders: new Map() })
}

/** Loads one record, with all others of its kind and shard that fields ask for now. Each shard may fail by itself. */
export function loadRecord(graph: Graph, noun: Noun, id: Id): Promise<Record> {
  const { loaders, reads } = graph
  const key = `${noun.name} ${shardOf(id)}`
  const load = loaders.get(key) ?? batched((ids) => noun.load(reads, ids))
  loaders.set(key, load)
  return load(id)
}
