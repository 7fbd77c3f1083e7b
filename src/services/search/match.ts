import { type SQL, sql } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { SystemCtx } from '../../platform/context.ts'
import { unavailable } from '../../platform/failures.ts'

const RETRY_SECONDS = 5

/** For a table of FTS5. `expression` consists of our own tokens and of operators, never of typed text. */
export function matches(table: SQLiteTable, expression: string): SQL {
  return sql`${table} match ${expression}`
}

/** Awaits a read of the search index. Throws `unavailable` if it fails. */
export async function fromIndex<T>(ctx: SystemCtx, read: PromiseLike<T>): Promise<T> {
  return Promise.resolve(read).catch((error: unknown) => {
    ctx.log.error('the index cannot be read', { error })
    throw unavailable(RETRY_SECONDS, 'The search is unavailable')
  })
}
