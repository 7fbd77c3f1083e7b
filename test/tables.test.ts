import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { is } from 'drizzle-orm'
import { getTableConfig, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { expect, test } from 'vitest'
import { toId } from '../src/platform/data/ids.ts'
import type { AccessGuard } from '../src/platform/security/access-guard.object.ts'
import type { RevocationFeed } from '../src/platform/security/revocation-feed.object.ts'
import { noRights } from '../src/platform/security/rights.ts'
import type { WebhookEndpoint } from '../src/worker.ts'
import { inventory } from './support/inventory.ts'

const modules = import.meta.glob<object>(['../src/**/*tables.ts', '../src/platform/**/*.ts'], { eager: true })
const isTable = (value: unknown): value is SQLiteTable => value instanceof Object && is(value, SQLiteTable)
const declared = Object.values(modules)
  .flatMap((module) => Object.values(module).filter(isTable))
  .map(getTableConfig)

type Stored = { name: string; sql: string; columns: { name: string; type: string; notnull: number; pk: number }[] }

async function storedTables(): Promise<Map<string, Stored>> {
  const stored = new Map<string, Stored>()
  for (const db of [env.DIRECTORY, env.SHARD_0, env.INDEX, env.AUDIT, env.ANALYTICS]) {
    const tables = `select name, sql from sqlite_master where type = 'table' and name not glob 'sqlite_*' and name not glob '_cf_*'
      and name <> 'd1_migrations' and name not in (select name from pragma_table_list where type = 'shadow')`
    const { results } = await db.prepare(tables).all<{ name: string; sql: string }>()
    for (const { name, sql } of results) {
      const { results: columns } = await db.prepare(`pragma table_info(${name})`).all<Stored['columns'][number]>()
      const rowid = { name: 'rowid', type: 'INTEGER', notnull: 0, pk: 1 }
      stored.set(name, { name, sql, columns: sql.startsWith('CREATE VIRTUAL') ? [rowid, ...columns] : columns })
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
    if (stored.get(table.name)?.sql.startsWith('CREATE VIRTUAL')) continue
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

test('every column of the databases and objects, every bucket, KV namespace and queue is in the inventory', async () => {
  const stores = new Map(
    [...(await storedTables())].map(([name, { columns }]) => [name, columns.map((row) => row.name)]),
  )
  for (const [binding, namespace] of [
    ['HUB', env.HUB] as const,
    ['GUARD', env.GUARD] as const,
    ['REVOCATIONS', env.REVOCATIONS] as const,
    ['WEBHOOK', env.WEBHOOK] as const,
  ]) {
    for (const [table, columns] of await objectTables(namespace as never))
      stores.set(`object ${binding}.${table}`, columns)
  }
  // A store that is missing here belongs in the `personal.ts` of the service that owns it.
  for (const [store, columns] of stores) {
    expect({ store, columns: Object.keys(inventory.get(store) ?? {}).sort() }).toEqual({
      store,
      columns: columns.sort(),
    })
  }
  const listed = [...inventory.keys()].filter((store) => !store.includes(' '))
  expect(listed.filter((table) => !stores.has(table))).toEqual([])

  const kinds = new Map([
    ['DurableObjectNamespace', 'object'],
    ['WorkerQueue', 'queue'],
    ['R2Bucket', 'R2'],
    ['KvNamespace', 'KV'],
  ])
  const bound = Object.entries(env).flatMap(([name, binding]) => {
    const kind = kinds.get(Object(binding).constructor.name)
    return kind && !name.endsWith('_DEAD') ? [`${kind} ${name}`] : []
  })
  expect(new Set(bound.map((store) => store.split(' ')[0])).size).toBe(4)
  expect(bound.filter((store) => ![...inventory.keys()].some((key) => key.startsWith(store)))).toEqual([])
})

async function objectTables(namespace: DurableObjectNamespace): Promise<[string, string[]][]> {
  return runInDurableObject(namespace.getByName('inventory'), async (object, state) => {
    if ('fillRights' in object) await (object as AccessGuard).fillRights(noRights)
    if ('accept' in object) await (object as WebhookEndpoint).accept({ webhookId: toId(1), accountId: toId(1) }, [])
    if ('changesSince' in object) await (object as RevocationFeed).changesSince(null)
    if ('ready' in object) await (object as { ready: () => unknown }).ready()
    const { sql } = state.storage
    const names = sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'").toArray()
    const own = names.filter(({ name }) => !/^(_cf_|sqlite_|schema)/.test(name))
    return own.map(({ name }) => [
      name,
      sql
        .exec<{ name: string }>(`PRAGMA table_info(${name})`)
        .toArray()
        .map((column) => column.name),
    ])
  })
}
