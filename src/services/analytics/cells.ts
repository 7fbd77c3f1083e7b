import { inArray, type SQL, sql } from 'drizzle-orm'
import type { Database } from '../../platform/data/databases.ts'
import { rollups, sketches } from './tables.ts'

export type Cell = { metric: string; bucket: string; key: string }

/** D1 allows values of 2 MB. */
const TEXT_PER_STATEMENT = 500_000

/** Whether a row of `rollups` or `sketches` is one of the cells of a list. */
function isOneOf(list: string): SQL {
  const [from, to] = [sql.raw('(select value ->> 0, value ->> 1, value ->> 2 from json_each('), sql.raw('))')]
  return inArray(sql.raw('("metric", "bucket", "key")'), sql.join([from, sql.param(list), to]))
}

const listsOfCells = (cells: readonly Cell[]) =>
  listsOf(cells.map(({ metric, bucket, key }) => JSON.stringify([metric, bucket, key])))

export async function countsIn(db: Database, cells: readonly Cell[]) {
  return (await Promise.all(listsOfCells(cells).map((list) => db.select().from(rollups).where(isOneOf(list))))).flat()
}

export async function sketchesIn(db: Database, cells: readonly Cell[]) {
  return (await Promise.all(listsOfCells(cells).map((list) => db.select().from(sketches).where(isOneOf(list))))).flat()
}

export async function deleteCells(db: Database, cells: readonly Cell[]): Promise<void> {
  for (const list of listsOfCells(cells)) {
    await db.batch([db.delete(rollups).where(isOneOf(list)), db.delete(sketches).where(isOneOf(list))])
  }
}

/** Statements that store rows, in few parameters. */
export function putCounts(db: Database, rows: readonly (typeof rollups.$inferSelect)[]) {
  const target = [rollups.metric, rollups.bucket, rollups.key]
  return listsOf(rows.map(({ metric, bucket, key, n }) => JSON.stringify([metric, bucket, key, n]))).map((list) =>
    db
      .insert(rollups)
      .select(rowsIn(list))
      .onConflictDoUpdate({ target, set: { n: sql.raw('excluded.n') } }),
  )
}

export function putSketches(db: Database, rows: readonly (typeof sketches.$inferSelect)[]) {
  const target = [sketches.metric, sketches.bucket, sketches.key]
  return listsOf(rows.map(({ metric, bucket, key, sketch }) => JSON.stringify([metric, bucket, key, sketch]))).map(
    (list) =>
      db
        .insert(sketches)
        .select(rowsIn(list))
        .onConflictDoUpdate({ target, set: { sketch: sql.raw('excluded.sketch') } }),
  )
}

const rowsIn = (list: string) =>
  sql`select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(${list}) where true`

/** JSON arrays of bounded length. */
function listsOf(items: readonly string[]): string[] {
  const lists: string[][] = []
  let length = TEXT_PER_STATEMENT
  for (const item of items) {
    if (length + item.length > TEXT_PER_STATEMENT) {
      lists.push([])
      length = 0
    }
    lists.at(-1)?.push(item)
    length += item.length + 1
  }
  return lists.map((list) => `[${list.join(',')}]`)
}
