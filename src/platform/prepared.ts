import { fillPlaceholders } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import type { Database } from './db.ts'

/** A drizzle select, awaited or prepared. */
type Select<R> = PromiseLike<R[]> & { prepare: () => Prepared }
type Prepared = {
  getQuery: () => { sql: string; params: unknown[] }
  mapResult: (result: unknown, isFromBatch: boolean) => unknown
}

// What is prepared outlives the request that first needs it, so it is made on a database that belongs to none.
const nowhere = drizzle({ prepare: () => null } as unknown as D1Database) as unknown as Database

/**
 * A select that drizzle puts together once per isolate and `variant`, for those asked for most: putting it together takes
 * longer than answering it. `build` uses `sql.placeholder(name)` for every value that calls differ in.
 */
export function prepared<V extends Record<string, boolean>, N extends string, R>(
  build: (db: Database, variant: V) => Select<R>,
): (db: Database, variant: V, values: Record<N, string | number>) => Promise<R[]> {
  const made = new Map<string, { query: Prepared; sql: string; params: unknown[] }>()
  return async (db, variant, values) => {
    const key = JSON.stringify(variant)
    let known = made.get(key)
    if (!known) {
      const query = build(nowhere, variant).prepare()
      known = { query, ...query.getQuery() }
      made.set(key, known)
    }
    const statement = db.$client.prepare(known.sql).bind(...fillPlaceholders(known.params, values))
    return known.query.mapResult(await statement.all(), true) as R[]
  }
}
