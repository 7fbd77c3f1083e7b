import { Column, fillPlaceholders, is, SQL } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import type { Database } from './databases.ts'

/** A drizzle select of columns and expressions, awaited or taken apart. */
type Select<R> = PromiseLike<R[]> & {
  toSQL: () => { sql: string; params: unknown[] }
  _: { readonly selectedFields: Record<string, unknown> }
}
type Decode = (value: unknown) => unknown
type Field = { name: string; decode: Decode | null }
type Made = { sql: string; params: unknown[]; fields: Field[] }

// What is prepared outlives the request that first needs it, so it is made on a database that belongs to none.
const nowhere = drizzle({ prepare: () => null } as unknown as D1Database) as unknown as Database

/**
 * A select that drizzle puts together once per isolate and `variant`, for those asked for most: putting it together takes
 * longer than answering it. `build` uses `sql.placeholder(name)` for every value that calls differ in.
 */
export function prepared<V extends Record<string, boolean>, N extends string, R>(
  build: (db: Database, variant: V) => Select<R>,
): (db: Database, variant: V, values: Record<N, string | number>) => Promise<R[]> {
  const made = new Map<string, Made>()
  return async (db, variant, values) => {
    const key = JSON.stringify(variant)
    const known = made.get(key) ?? make(build(nowhere, variant))
    made.set(key, known)
    const statement = db.$client.prepare(known.sql).bind(...fillPlaceholders(known.params, values))
    const { results } = await statement.all()
    return results.map((row) => decoded(known.fields, Object.values(row))) as R[]
  }
}

function make(query: Select<unknown>): Made {
  const fields = Object.entries(query._.selectedFields)
  return { ...query.toSQL(), fields: fields.map(([name, field]) => ({ name, decode: decoderOf(field) })) }
}

/** As drizzle reads a field, asked once instead of for every row; null for what comes as it is. */
function decoderOf(field: unknown): Decode | null {
  if (is(field, Column)) {
    const isPlain = field.mapFromDriverValue === Column.prototype.mapFromDriverValue
    return isPlain ? null : (value) => field.mapFromDriverValue(value)
  }
  const { decoder } = (is(field, SQL.Aliased) ? field.sql : field) as { decoder: { mapFromDriverValue: Decode } }
  return (value) => decoder.mapFromDriverValue(value)
}

function decoded(fields: Field[], values: unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  fields.forEach(({ name, decode }, i) => {
    const value = values[i]
    row[name] = decode === null || value === null ? value : decode(value)
  })
  return row
}
