import { env } from 'cloudflare:workers'
import { is } from 'drizzle-orm'
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { expect, test } from 'vitest'

const modules = import.meta.glob<object>(['../src/**/*tables.ts', '../src/platform/**/*.ts'], { eager: true })
const isTable = (value: unknown): value is SQLiteTable => value instanceof Object && is(value, SQLiteTable)
const declared = Object.values(modules)
  .flatMap((module) => Object.values(module).filter(isTable))
  .map(getTableConfig)

type Stored = { name: string; sql: string; columns: { name: string; type: string; notnull: number; pk: number }[] }

async function storedTables(): Promise<Map<string, Stored>> {
  const stored = new Map<string, Stored>()
  for (const db of [env.DIRECTORY, env.SHARD_0, env.INDEX, env.AUDIT]) {
    const tables = `select name, sql from sqlite_master where type = 'table' and name not glob 'sqlite_*' and name not glob '_cf_*'
      and name <> 'd1_migrations'`
    const { results } = await db.prepare(tables).all<{ name: string; sql: string }>()
    for (const { name, sql } of results) {
      const { results: columns } = await db.prepare(`pragma table_info(${name})`).all<Stored['columns'][number]>()
      stored.set(name, { name, sql, columns })
    }
  }
  return stored
}

test('every drizzle table exists in the databases with the same columns, types and NOT NULL constraints', async () => {
  const stored = await storedTables()
  expect(declared.length).toBeGreaterThan(15)
  for (const table of declared) {
    const shape = (name: string, type: string, required: boolean) => `${name} ${type.toUpperCase()} ${required}`
    const isInKey = (column: (typeof table.columns)[number]) =>
      column.primary || table.primaryKeys.some((key) => key.columns.includes(column))
    const wanted = table.columns.map((column) =>
      shape(column.name, column.getSQLType(), column.notNull || isInKey(column)),
    )
    const found = stored
      .get(table.name)
      ?.columns.map(({ name, type, notnull, pk }) => shape(name, type, notnull === 1 || pk > 0))
    expect({ table: table.name, columns: found?.sort() }).toEqual({ table: table.name, columns: wanted.sort() })
  }
})

test('every table in the databases is declared in drizzle, and a table with a composite key has no rowid', async () => {
  const names = new Set(declared.map((table) => table.name))
  for (const { name, sql, columns } of (await storedTables()).values()) {
    expect(names).toContain(name)
    if (columns.filter((column) => column.pk > 0).length > 1) expect(sql, name).toMatch(/WITHOUT ROWID$/i)
  }
})
