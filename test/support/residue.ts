import { env } from 'cloudflare:workers'
import type { Id } from '../../src/platform/data/ids.ts'

const databases = { DIRECTORY: env.DIRECTORY, SHARD_0: env.SHARD_0, SHARD_1: env.SHARD_1, INDEX: env.INDEX }

/** The columns of all databases, like `SHARD_0.posts.author_id`, that contain one of the ids or a text with `marker`. */
export async function residueOf(ids: readonly Id[], marker: string): Promise<string[]> {
  const found: string[] = []
  for (const [name, db] of Object.entries(databases)) {
    const tables = await db
      .prepare(
        "select name, sql from sqlite_master where type = 'table' and name not glob '_cf_*' and name not glob 'd1_*'",
      )
      .all<{ name: string; sql: string }>()
    for (const table of tables.results) {
      const { results } = await db.prepare(`pragma table_info(${table.name})`).all<{ name: string }>()
      const columns = table.sql?.startsWith('CREATE VIRTUAL') ? [{ name: 'rowid' }] : results
      const counts = columns.map(
        (column) => `sum(${column.name} in (${ids}) or instr(${column.name}, '${marker}') > 0) as ${column.name}`,
      )
      const row = await db.prepare(`select ${counts} from ${table.name}`).first<Record<string, number | null>>()
      for (const [column, n] of Object.entries(row!)) if (n) found.push(`${name}.${table.name}.${column}`)
    }
  }
  return found.sort()
}
