import { withDatabases } from '../../platform/create-context.ts'
import { Made } from '../../platform/data/idempotency.ts'
import { runVerb, type VerbOperation } from '../../platform/http/operation.ts'
import { requireCapacity } from '../../platform/http/shedding.ts'
import { requirePermission } from '../../platform/security/access.ts'
import { admit, countRequest, type Rule } from '../../platform/security/admit.ts'
import { type Graph, renew } from './graph.ts'
import { parseInput, parseKey } from './input.ts'
import type { Ahead } from './lookahead.ts'

type Given = Record<string, unknown>
type Read = {
  operation: VerbOperation
  /** The arguments of the operation. May throw `invalid`. */
  args: () => Given
  /** Called with the rows of the records as soon as they are known. */
  ahead: Ahead
}

/** Admits one root field after the other, and waits for all of them: fields that start together share their trips. */
export async function admitRoot(graph: Graph, rule: Rule): Promise<void> {
  const own = graph.admissions.then(() => admitField(graph, rule))
  graph.admissions = own.catch(() => {})
  await null
  await graph.admissions
  await own
}

/** Admits a root field. The first one of a query also counts the surcharge. */
async function admitField(graph: Graph, rule: Rule): Promise<void> {
  graph.isAdmitted = true
  await admit(graph.ctx, rule, graph.report)
  for (; graph.surcharge > 0; graph.surcharge--) graph.report((await countRequest(graph.ctx)).headers)
}

/** Reads for a root field of a query. `known` returns the ids that the input already contains. */
export async function readRoot(
  graph: Graph,
  { operation, args, ahead }: Read,
  known: (input: Given) => unknown = () => null,
): Promise<unknown> {
  requireCapacity(graph.ctx, operation)
  await admitRoot(graph, operation)
  const input = parseInput(operation, args())
  const id = known(input)
  if (id) ahead([{ id }])
  return read(graph, operation, input, ahead)
}

/** Reads for a list below a record: the caller was admitted, but the operation may require another scope or role. */
export async function readNested(graph: Graph, { operation, args, ahead }: Read): Promise<unknown> {
  requireCapacity(graph.ctx, operation)
  const pending = requirePermission(graph.ctx, operation)
  if (pending) await pending // otherwise without a delay, so that fields that start together share their trips
  return read(graph, operation, parseInput(operation, args()), ahead)
}

function read(graph: Graph, operation: VerbOperation, input: object, onRows: Ahead): Promise<unknown> {
  const key = `${operation.id} ${JSON.stringify(input)}`
  const known = graph.calls.get(key) ?? runVerb(operation, { ...graph.reads, onRows }, input)
  graph.calls.set(key, known)
  return known
}

/** Runs a writing operation. The fields below it then read at least what it wrote. */
export async function write(graph: Graph, operation: VerbOperation, args: Given, key: string): Promise<unknown> {
  await admitField(graph, operation)
  const bookmarks = graph.ctx.db.bookmarks() ?? undefined
  const idempotencyKey = operation.idempotent ? parseKey(args) : undefined
  const ctx = { ...withDatabases(graph.ctx, { bookmarks }), idempotencyKey }
  const result = await runVerb(operation, ctx, parseInput(operation, args))
  graph.ctx.db = ctx.db
  renew(graph, withDatabases(graph.ctx, { bookmarks: ctx.db.bookmarks() ?? undefined, inWaves: true }))
  if (!(result instanceof Made)) return result
  if (result.replayed) graph.replayed.push(key)
  return result.value
}
