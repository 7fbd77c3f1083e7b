import { Column, fillPlaceholders, is, Placeholder, SQL } from 'drizzle-orm'
import { type Database, requireDistinctNames } from './databases.ts'

type Select<R> = {
  toSQL: () => { sql: string; params: unknown[] }
  _: { readonly selectedFields: Record<string, unknown>; readonly result: R[] }
}
type Decode = (value: unknown) => unknown
type Field = { name: string; decode: Decode | null }
type Compiled = { sql: string; params: unknown[]; fields: Field[] }

/** Compiles a select once per isolate, `variant` and limit, because compiling it for every call would waste CPU time. */
export function prepared<V extends Record<string, boolean>, N extends string, R>(
  build: (variant: V) => Select<R>,
): (db: Database, variant: V, values: Record<N, string | number>) => Promise<R[]> {
  const compiled = new Map<string, Compiled>()
  return async (db, variant, values) => {
    const limit: unknown = Reflect.get(values, 'limit')
    const key = JSON.stringify([variant, limit])
    const known = compiled.get(key) ?? withLimit(compile(build(variant)), limit)
    compiled.set(key, known)
    const statement = db.$client.prepare(known.sql).bind(...fillPlaceholders(known.params, values))
    const { results } = await statement.all()
    return results.map((row) => decoded(known.fields, Object.values(row))) as R[]
  }
}

function compile(select: Select<unknown>): Compiled {
  requireDistinctNames(select._.selectedFields)
  const fields = Object.entries(select._.selectedFields)
  return { ...select.toSQL(), fields: fields.map(([name, field]) => ({ name, decode: decoderOf(field) })) }
}

/** Writes the limit into the text, because SQLite plans a statement with a bound limit anew each time it runs. */
function withLimit({ sql, params, fields }: Compiled, limit: unknown): Compiled {
  if (!Number.isInteger(limit)) return { sql, params, fields }
  const isLimit = (param: unknown) => is(param, Placeholder) && param.name === 'limit'
  const parts = sql.split('?')
  if (parts.length !== params.length + 1) throw new Error('a prepared select has a ? that is not a parameter')
  const text = parts.map((part, i) => `${part}${i === params.length ? '' : isLimit(params[i]) ? limit : '?'}`)
  return { sql: text.join(''), params: params.filter((param) => !isLimit(param)), fields }
}

/** How drizzle decodes a field, looked up once instead of for every row; null if it needs no decoding. */
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
  for (const [i, { name, decode }] of fields.entries()) {
    const value = values[i]
    row[name] = decode === null || value === null ? value : decode(value)
  }
  return row
}
