import { inArray, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../platform/data/databases.ts'
import { rollups, sketches } from './tables.ts'

export type Cell = { metric: string; bucket: string; key: string }

/** Whether a row of `rollups` or `sketches` is one of the cells. Binds them as one parameter. */
function isOneOf(cells: readonly Cell[]): SQL {
  const list = JSON.stringify(cells.map(({ metric, bucket, key }) => [metric, bucket, key]))
  return inArray(
    sql.raw('("metric", "bucket", "key")'),
    sql`(select value ->> 0, value ->> 1, value ->> 2 from json_each(${list}))`,
  )
}

export function countsIn(db: Database, cells: readonly Cell[]) {
  return db.select().from(rollups).where(isOneOf(cells))
}

export function sketchesIn(db: Database, cells: readonly Cell[]) {
  return db.select().from(sketches).where(isOneOf(cells))
}

export function deleteCells(db: Database, cells: readonly Cell[]) {
  return [db.delete(rollups).where(isOneOf(cells)), db.delete(sketches).where(isOneOf(cells))] as const
}
