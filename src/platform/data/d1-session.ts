import { withTimeout } from '../timeout.ts'

/** What an operation used of the platform; the budgets of docs/architecture.md are asserted on it. */
export type Cost = {
  trips: number
  rowsRead: number
  rowsWritten: number
  directoryTrips: number
  objectCalls: number
  queueMessages: number
  cacheReads: number
}

export function noCost(): Cost {
  return { trips: 0, rowsRead: 0, rowsWritten: 0, directoryTrips: 0, objectCalls: 0, queueMessages: 0, cacheReads: 0 }
}

/** Microtasks to wait for company: parallel loaders reach their queries at slightly different depths. */
const HOPS = 12

/** A database that stalls does so for half a minute and more; whether a write was made is then not known. */
const QUERY_TIMEOUT_MS = 10_000

type Waiting = {
  statement: D1PreparedStatement
  resolve: (result: D1Result) => void
  reject: (error: unknown) => void
}

const inner = new WeakMap<D1PreparedStatement, D1PreparedStatement>()

/**
 * A D1 session whose round trips, rows read and rows written are added to `cost`. Selects that are asked for at the same
 * moment share one round trip. `raw` goes by way of `all`, since only that answers with the counters: the columns of one
 * select must differ in name.
 */
export function countedSession(session: D1DatabaseSession, cost: Cost, onTrip: () => void): D1DatabaseSession {
  let waiting: Waiting[] = []

  async function trip(statements: D1PreparedStatement[]): Promise<D1Result[]> {
    cost.trips += 1
    onTrip()
    const [first, ...others] = statements
    const asked = others.length === 0 ? first!.all().then((result) => [result]) : session.batch(statements)
    const results = await withTimeout(asked, QUERY_TIMEOUT_MS)
    for (const { meta } of results) {
      cost.rowsRead += meta.rows_read
      cost.rowsWritten += meta.rows_written
    }
    return results
  }

  async function flush(): Promise<void> {
    for (let hop = 0; hop < HOPS; hop++) await null
    const group = waiting
    waiting = []
    await trip(group.map(({ statement }) => statement)).then(
      (results) => group.forEach(({ resolve }, i) => void resolve(results[i]!)),
      (error: unknown) => group.forEach(({ reject }) => void reject(error)),
    )
  }

  function read(statement: D1PreparedStatement): Promise<D1Result> {
    return new Promise((resolve, reject) => {
      if (waiting.push({ statement, resolve, reject }) === 1) void flush()
    })
  }

  function counted(statement: D1PreparedStatement, isRead: boolean): D1PreparedStatement {
    const all = () => (isRead ? read(statement) : trip([statement]).then(([result]) => result!))
    const wrapped = {
      bind: (...values: unknown[]) => counted(statement.bind(...values), isRead),
      all,
      run: all,
      raw: async () => (await all()).results.map((row) => Object.values(row as object)),
      first: async () => (await all()).results[0] ?? null,
    } as unknown as D1PreparedStatement
    inner.set(wrapped, statement)
    return wrapped
  }

  return {
    prepare: (query: string) => counted(session.prepare(query), /^\s*select\b/i.test(query)),
    batch: (statements: D1PreparedStatement[]) =>
      trip(statements.map((statement) => inner.get(statement) ?? statement)),
    getBookmark: () => session.getBookmark(),
  } as D1DatabaseSession
}
