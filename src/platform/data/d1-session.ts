import { messagesOf } from '../failures.ts'
import type { Cost } from '../observability/cost.ts'
import { tripsInFlight } from '../observability/pending.ts'
import { withTimeout } from '../timeout.ts'

/** Microtasks to wait for further selects: loaders that start together issue their selects a few microtasks apart. */
const MICROTASKS_TO_WAIT = 12

/** When the selects that wait are sent: after `ready`. `during` gets every round trip. */
export type Pace = { ready: () => Promise<void>; during: <T>(trip: Promise<T>) => Promise<T> }

const soon: Pace = {
  ready: async () => {
    for (let task = 0; task < MICROTASKS_TO_WAIT; task++) await null
  },
  during: (trip) => trip,
}

/** A stalled database fails on its own only after half a minute or more. A write that timed out may be committed. */
export const QUERY_TIMEOUT_MS = 10_000

type Row = Record<string, unknown>
type Result = D1Result<Row>
type Trip = (statements: D1PreparedStatement[]) => Promise<Result[]>

/**
 * A D1 session that adds its round trips and rows to `cost`, times out after ten seconds, and sends concurrent selects
 * in one round trip. `raw` calls `all`, because only `all` returns row counters. The rows of `all` are objects, so
 * `openDatabases` refuses a select with two columns of the same name.
 */
export function countedSession(session: D1DatabaseSession, cost: Cost, isDirectory: boolean, pace = soon) {
  const trip: Trip = async (statements) => {
    cost.trips += 1
    if (isDirectory) cost.directoryTrips += 1
    const [first, ...others] = statements
    const isOne = first && others.length === 0
    const asked = isOne ? first.all<Row>().then((result) => [result]) : session.batch<Row>(statements)
    const results = await pace.during(withTimeout(asked, QUERY_TIMEOUT_MS).finally(tripsInFlight.begin()))
    if (results.length < statements.length) throw new Error('D1 returned fewer results than statements')
    for (const { meta } of results) {
      cost.rowsRead += meta.rows_read
      cost.rowsWritten += meta.rows_written
    }
    return results
  }
  const sharing = new Sharing(trip, pace)
  const read = (statement: D1PreparedStatement) => sharing.read(statement)
  const write = async (statement: D1PreparedStatement) => only(await trip([statement]))
  return {
    prepare: (query: string) => new Counted(session.prepare(query), /^\s*select\b/i.test(query) ? read : write),
    batch: (statements: Counted[]) => sharing.batch(statements.map(({ statement }) => statement)),
    getBookmark: () => session.getBookmark(),
  }
}

type Waiting = {
  statement: D1PreparedStatement
  resolve: (result: Result) => void
  reject: (error: unknown) => void
}

/** A statement is wrong or violates a constraint, so nothing of its batch is stored. Other errors may come after a commit. */
const isRefusal = (error: unknown) => /SQLITE_(?:CONSTRAINT|ERROR|MISMATCH|TOOBIG|RANGE)/.test(messagesOf(error).join())
const isOfWrite = (error: unknown) => /SQLITE_CONSTRAINT/.test(messagesOf(error).join())

const statementsOf = (group: readonly Waiting[]) => group.map(({ statement }) => statement)
const fail = (group: readonly Waiting[], error: unknown) => group.forEach(({ reject }) => void reject(error))
const answer = (group: readonly Waiting[], results: readonly Result[]) =>
  group.forEach(({ resolve }, i) => void resolve(only(results.slice(i))))

/** Sends concurrent selects in one round trip, or with a batch that begins meanwhile: they then see what it writes. */
class Sharing {
  private waiting: Waiting[] = []
  private batches = 0
  private readonly trip: Trip
  private readonly pace: Pace

  constructor(trip: Trip, pace: Pace) {
    this.trip = trip
    this.pace = pace
  }

  read(statement: D1PreparedStatement): Promise<Result> {
    return new Promise((resolve, reject) => {
      if (this.waiting.push({ statement, resolve, reject }) === 1) void this.flush()
    })
  }

  async batch(statements: D1PreparedStatement[]): Promise<Result[]> {
    if (this.pace !== soon) return this.trip(statements)
    this.batches += 1
    await this.pace.ready()
    this.batches -= 1
    const group = this.take()
    if (group.length === 0) return this.trip(statements)
    try {
      const results = await this.trip([...statements, ...statementsOf(group)])
      answer(group, results.slice(statements.length))
      return results.slice(0, statements.length)
    } catch (error) {
      if (isOfWrite(error)) void this.send(group)
      else if (isRefusal(error)) return this.apart(statements, group)
      else fail(group, error)
      throw error
    }
  }

  /** Neither the batch nor the selects may fail because the others are refused. */
  private async apart(statements: D1PreparedStatement[], group: readonly Waiting[]): Promise<Result[]> {
    const sent = this.trip(statements)
    await sent.catch(() => {})
    void this.send(group)
    return sent
  }

  private async flush(): Promise<void> {
    await this.pace.ready()
    if (this.batches === 0) await this.send(this.take())
  }

  private take(): Waiting[] {
    const group = this.waiting
    this.waiting = []
    return group
  }

  private async send(group: readonly Waiting[]): Promise<void> {
    if (group.length === 0) return
    await this.trip(statementsOf(group)).then(
      (results) => answer(group, results),
      (error) => fail(group, error),
    )
  }
}

type Run = (statement: D1PreparedStatement) => Promise<Result>

class Counted {
  readonly statement: D1PreparedStatement
  private readonly send: Run

  constructor(statement: D1PreparedStatement, send: Run) {
    this.statement = statement
    this.send = send
  }

  bind(...values: unknown[]): Counted {
    return new Counted(this.statement.bind(...values), this.send)
  }

  all(): Promise<Result> {
    return this.send(this.statement)
  }

  run(): Promise<Result> {
    return this.send(this.statement)
  }

  async raw(): Promise<unknown[][]> {
    return (await this.all()).results.map((row) => Object.values(row))
  }

  async first(): Promise<Row | null> {
    return (await this.all()).results[0] ?? null
  }
}

function only([result]: Result[]): Result {
  if (!result) throw new Error('D1 returned no result')
  return result
}
