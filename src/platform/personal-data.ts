import { getTableColumns, getTableName } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { SystemCtx } from './context.ts'
import { type Id, toId } from './data/ids.ts'

/**
 * What a column holds: the id of the person to whom the row belongs, data of that person that an export contains or must
 * not contain (such as hashes), data about other people, or nothing personal (also what derives from exported columns).
 */
export type ColumnClass = 'owner' | 'exported' | 'secret' | 'others' | 'technical'

/** Columns by table. Other stores are named by kind and binding, like `KV CACHE handle:<handle>`. */
export type Inventory = Record<string, Record<string, ColumnClass>>

/** A file of an export. Its body is read once, in chunks, so that a file of any size needs little memory. */
export type ExportEntry = { path: string; body: AsyncIterable<string | Uint8Array> }

/** What a service holds of people. The registry requires it of every service. */
export type PersonalData = {
  inventory: Inventory
  /** The files with everything of the account that the inventory lists as exported. */
  exported: (ctx: SystemCtx, accountId: Id) => AsyncGenerator<ExportEntry>
  /** One bounded, idempotent step of erasing the account. Returns true when nothing is left. */
  erase: (ctx: SystemCtx, accountId: Id) => Promise<boolean>
}

type Classes<T extends SQLiteTable> = { [Column in keyof T['_']['columns']]: ColumnClass }

/** Classifies the columns of a table. The compiler requires all of them. */
export function classify<T extends SQLiteTable>(table: T, classes: Classes<T>): Inventory {
  const given = new Map<string, ColumnClass>(Object.entries(classes))
  const columns = Object.entries(getTableColumns(table))
  return {
    [getTableName(table)]: Object.fromEntries(
      columns.map(([name, column]) => [column.name, given.get(name) ?? 'secret']),
    ),
  }
}

/** For services whose data are not personal, or only copies of what another service exports. */
export async function* nothing(): AsyncGenerator<ExportEntry> {}

const ROWS_PER_READ = 500

type Row = { id: Id }

/** Reads all rows in ascending order of their ids. `read` returns at most `limit` rows after an id. */
export async function* pagesOf<R extends Row>(
  read: (after: Id, limit: number) => PromiseLike<R[]>,
): AsyncGenerator<R[]> {
  for (let after: Id | undefined = toId(0); after; ) {
    const rows: R[] = await read(after, ROWS_PER_READ)
    if (rows.length > 0) yield rows
    after = rows.length < ROWS_PER_READ ? undefined : rows.at(-1)?.id
  }
}

const text = (value: unknown) => JSON.stringify(value, null, 2)

export function jsonFile(path: string, value: unknown): ExportEntry {
  return { path, body: chunks(`${text(value)}\n`) }
}

/** A file with a JSON array. */
export function jsonList(path: string, pages: AsyncIterable<readonly unknown[]>): ExportEntry {
  return { path, body: listChunks(pages) }
}

async function* chunks(...parts: string[]) {
  yield* parts
}

async function* listChunks(pages: AsyncIterable<readonly unknown[]>) {
  let separator = '[\n'
  for await (const items of pages) {
    yield `${separator}${items.map(text).join(',\n')}`
    separator = ',\n'
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n'
}

/** A time of the database (epoch ms or a date) as ISO 8601. */
export function iso(time: number | Date | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}
