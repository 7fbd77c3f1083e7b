import { inArray, type SQL, sql } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { commaList, query } from './conditions.ts'
import type { Database } from './databases.ts'

export const DAY_MS = 24 * 3_600_000

const ROWS_PER_STEP = 1_000
const STEPS_PER_RUN = 100

/** Deletes up to 100,000 rows; the next run deletes more. Returns whether none are left. `where` must use an index, and `key` is the primary key. */
export async function deleteInSteps(
  db: Database,
  table: SQLiteTable,
  key: readonly SQLiteColumn[],
  where: SQL | undefined,
): Promise<boolean> {
  const columns = Object.fromEntries(key.map((column) => [column.name, column]))
  const step = query.select(columns).from(table).where(where).limit(ROWS_PER_STEP)
  const rowKey = sql`(${commaList(key)})`
  for (let count = 0; count < STEPS_PER_RUN; count++) {
    const { meta } = await db.delete(table).where(inArray(rowKey, step))
    if (meta.changes < ROWS_PER_STEP) return true
  }
  return false
}
