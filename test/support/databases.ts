import { env } from 'cloudflare:workers'
import { type Id, idOf, newId, shardOf } from '../../src/platform/data/ids.ts'

const CHUNK_SIZE = 2_000

export const shards = [env.SHARD_0, env.SHARD_1] as const
export type Row = Record<string, string | number | null>

/** The database of the shard that this id belongs to. */
export const shardHolding = (id: Id): D1Database => shards[shardOf(id)]!

/** Runs the query on each database, and returns the sum of the column `n` of the first rows. */
export async function count(query: string, databases: readonly D1Database[] = shards): Promise<number> {
  const rows = await Promise.all(databases.map((db) => db.prepare(query).first<{ n: number }>()))
  return rows.reduce((sum, row) => sum + row!.n, 0)
}

/** Counts the rows whose columns hold these ids. */
export function countRows(
  table: string,
  columns: Record<string, Id>,
  databases: readonly D1Database[] = shards,
): Promise<number> {
  const conditions = Object.entries(columns).map(([column, id]) => `${column} = ${Number(id)}`)
  return count(`SELECT count(*) n FROM ${table} WHERE ${conditions.join(' AND ')}`, databases)
}

/** Inserts up to 2,000 rows per statement, and skips rows that conflict. The keys of the first row name the columns. */
export async function insertRows(db: D1Database, table: string, rows: readonly Row[]): Promise<void> {
  for (let at = 0; at < rows.length; at += CHUNK_SIZE) {
    const chunk = rows.slice(at, at + CHUNK_SIZE)
    const columns = Object.keys(chunk[0]!)
    const values = columns.map((column) => `value ->> '$.${column}'`)
    await db
      .prepare(`INSERT OR IGNORE INTO ${table} (${columns}) SELECT ${values} FROM json_each(?)`)
      .bind(JSON.stringify(chunk))
      .run()
  }
}

/** Inserts each row on the shard of the account whose id `owner` returns. */
export async function insertByShard(table: string, rows: readonly Row[], owner: (row: Row) => unknown): Promise<void> {
  for (const [shard, own] of Map.groupBy(rows, (row) => shardOf(String(owner(row)) as Id))) {
    await insertRows(shards[shard]!, table, own)
  }
}

const TICK_MS = 10
const issued = new Set<Id>()

/** An id that no call in this test file has returned before. If `at` (epoch ms) is given, the ids of all shards sort by it. */
export function unusedId(shard: number, at?: number): Id {
  for (let time = at ?? Date.now(); ; time += TICK_MS) {
    // `newId` moves an id to after the latest one of its shard, which would reorder the ids of two shards.
    const id = at === undefined ? newId(shard, time) : drawnId(shard, time)
    if (issued.has(id)) continue // a tick has 512 ids
    issued.add(id)
    return id
  }
}

/** Tries again if the id is in use, because the next tick may be the time of another id. */
function drawnId(shard: number, at: number): Id {
  const ids = Array.from({ length: 5 }, () => idOf(shard, at, Math.floor(Math.random() * 512)))
  return ids.find((id) => !issued.has(id)) ?? ids[0]!
}
