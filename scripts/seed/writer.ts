import { setTimeout as sleep } from 'node:timers/promises'
import { getTableColumns, getTableName } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Entry } from './community.ts'

/** Many rows are passed in one JSON parameter, because D1 accepts at most 100 parameters. Each may have 2 MB. */
const CHARACTERS_PER_STATEMENT = 1_000_000
const ATTEMPTS = 200

type Databases = Record<string, D1Database>
type Statement = { database: string; insert: string; rows: string[]; characters: number }

/** Writes rows in bulk. Skips rows that exist already, so that an interrupted run can be repeated. */
export function makeWriter(databases: Databases) {
  const collect = makeCollector()
  let added = 0

  async function write({ database, insert, rows }: Statement): Promise<void> {
    const again = `${insert} WHERE true ON CONFLICT DO NOTHING`
    await retryWhileLocked(() => databases[database]!.prepare(again).bind(`[${rows}]`).run())
  }

  return {
    /** How many rows `add` has received, whether they are written, still buffered, or existed already. */
    get added() {
      return added
    },
    async add(entry: Entry): Promise<void> {
      const full = collect.add(entry)
      added += 1
      if (full) await write(full)
    },
    async flush(): Promise<void> {
      for (const rest of collect.rest()) await write(rest)
    },
  }
}

/** Writes either all rows or none. All must belong to one database. Throws if a row exists already. */
export async function writeAtOnce(databases: Databases, entries: readonly Entry[]): Promise<number> {
  const collect = makeCollector()
  const full = entries.flatMap((entry) => collect.add(entry) ?? [])
  const db = databases[entries[0]!.database]!
  const statements = [...full, ...collect.rest()].map(({ insert, rows }) => db.prepare(insert).bind(`[${rows}]`))
  await retryWhileLocked(() => db.batch(statements))
  return entries.length
}

/** Collects rows into one statement for each database and table. `add` returns a statement once it is full. */
function makeCollector() {
  const open = new Map<string, Statement>()
  return {
    add({ database, table, row }: Entry): Statement | null {
      const key = `${database} ${getTableName(table)}`
      const statement = open.get(key) ?? { database, insert: insertionInto(table, row), rows: [], characters: 0 }
      open.set(key, statement)
      const text = JSON.stringify(columnsOf(table, row).map(([name, column]) => driverValue(row[name], column)))
      statement.rows.push(text)
      statement.characters += text.length
      if (statement.characters < CHARACTERS_PER_STATEMENT) return null
      open.delete(key)
      return statement
    },
    rest(): Statement[] {
      const statements = [...open.values()]
      open.clear()
      return statements
    },
  }
}

type Column = ReturnType<typeof getTableColumns<SQLiteTable>>[string]

function insertionInto(table: SQLiteTable, row: Entry['row']): string {
  const names = columnsOf(table, row).map(([, column]) => column.name)
  const values = names.map((_, at) => `value ->> ${at}`)
  return `INSERT INTO ${getTableName(table)} (${names}) SELECT ${values} FROM json_each(?)`
}

/** The columns that `row` sets. The database fills the other columns with their defaults. */
function columnsOf(table: SQLiteTable, row: Entry['row']): [string, Column][] {
  return Object.entries(getTableColumns(table)).filter(([name]) => name in row)
}

const driverValue = (value: unknown, column: Column) =>
  value === null || value === undefined ? null : column.mapToDriverValue(value)

/** Repeats `work`, up to `ATTEMPTS` times, while another process such as a running server locks the database. */
async function retryWhileLocked(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work()
      return
    } catch (error) {
      if (attempt === ATTEMPTS || !/database is locked|SQLITE_BUSY/.test(String(error))) throw error
      await sleep(25)
    }
  }
}
