import { env } from 'cloudflare:workers'

export type Metered = { trips: number; rowsRead: number; rowsWritten: number; outboxRowsWritten: number }
type Statement = {
  statement: D1PreparedStatement
  query: string
  bind: (...values: unknown[]) => Statement
  all: () => Promise<D1Result>
}

/** Replaces the databases of `bindings` by ones that count. `take` returns the costs since the last call. */
export function meterDatabases(bindings: Env): { take: () => Metered } {
  let cost = none()
  const add = (queries: readonly string[], results: readonly D1Result[]) => {
    cost.trips += 1
    for (const [i, { meta }] of results.entries()) {
      cost.rowsRead += meta.rows_read
      cost.rowsWritten += meta.rows_written
      if (/^(insert into|delete from) "outbox"/.test(queries[i]!)) cost.outboxRowsWritten += meta.rows_written
    }
  }
  const wrap = (statement: D1PreparedStatement, query: string): Statement => ({
    statement,
    query,
    bind: (...values: unknown[]) => wrap(statement.bind(...values), query),
    all: async () => {
      const result = await statement.all()
      add([query], [result])
      return result
    },
  })
  const metered = (database: D1Database) => ({
    withSession: (start: D1SessionConstraint) => {
      const session = database.withSession(start)
      return {
        prepare: (query: string) => wrap(session.prepare(query), query),
        getBookmark: () => session.getBookmark(),
        batch: async (statements: Statement[]) => {
          const results = await session.batch(statements.map(({ statement }) => statement))
          add(
            statements.map(({ query }) => query),
            results,
          )
          return results
        },
      }
    },
  })
  const { SHARD_0, SHARD_1, INDEX, DIRECTORY } = env
  const all = Object.entries({ SHARD_0, SHARD_1, INDEX, DIRECTORY })
  Object.assign(bindings, Object.fromEntries(all.map(([name, database]) => [name, metered(database)])))
  const take = () => {
    const taken = cost
    cost = none()
    return taken
  }
  return { take }
}

const none = (): Metered => ({ trips: 0, rowsRead: 0, rowsWritten: 0, outboxRowsWritten: 0 })
