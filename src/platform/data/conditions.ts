import {
  getTableColumns,
  getTableName,
  isSQLWrapper,
  type Placeholder,
  type SQL,
  type SQLWrapper,
  sql,
} from 'drizzle-orm'
import { QueryBuilder, type SQLiteColumn, type SQLiteTable } from 'drizzle-orm/sqlite-core'
import { messagesOf } from '../failures.ts'
import type { Database } from './databases.ts'

/** A value in a query, or its placeholder in a prepared query. */
export type Bound<T> = T | Placeholder

/** Builds queries without a database: for subqueries and predicates. */
export const query = new QueryBuilder()

/** The selected columns of a subquery in `exists`. */
export const one = { one: sql`1` }

/** Whether the last write of the batch before this statement changed a row. Selects in between make no difference. */
export const changed = sql<boolean>`changes() > 0`

export function all(...conditions: SQL[]): SQL {
  return joined(conditions, ' and ')
}

export function any(...conditions: SQL[]): SQL {
  return joined(conditions, ' or ')
}

function joined(conditions: SQL[], operator: string): SQL {
  return sql`(${sql.join(conditions, sql.raw(operator))})`
}

/** A condition as a boolean column. */
export function flag(condition: SQL, name: string) {
  return condition.mapWith(Boolean).as<boolean>(name)
}

type Row<T extends SQLiteTable> = { [K in keyof T['$inferInsert']]: T['$inferInsert'][K] | SQLWrapper }

/** For `insert(table).select(…)`: one row if the condition holds. Omitted columns are null. */
export function rowIf<T extends SQLiteTable>(table: T, row: Row<T>, condition: SQL): SQL {
  return sql`select ${valuesOf(table, row)} where ${condition}`
}

/** For `insert(table).select(…)`: one row for each row of `source` that meets the condition. */
export function rowsFrom<T extends SQLiteTable>(table: T, row: Row<T>, source: SQLiteTable, condition: SQL): SQL {
  return sql`select ${valuesOf(table, row)} from ${source} where ${condition}`
}

function valuesOf<T extends SQLiteTable>(table: T, row: Row<T>): SQL {
  const given = new Map<string, unknown>(Object.entries(row))
  const values = Object.entries(getTableColumns(table)).map(([name, column]) => {
    const value = given.get(name) ?? null
    return isSQLWrapper(value) ? value : sql.param(value, column)
  })
  return commaList(values)
}

export function commaList(items: readonly SQLWrapper[]): SQL {
  return sql.join([...items], sql.raw(', '))
}

export function increment(value: SQLWrapper, by = 1): SQL<number> {
  return sql`${value} + ${by}`
}

/** The value that an upsert would have inserted. */
export function excluded(column: SQLiteColumn) {
  return sql.raw(`excluded.${column.name}`)
}

/** The text at a path like `$.like.push` of a JSON value; null if there is none. */
export function jsonText(json: SQLWrapper, path: string): SQL<string | null> {
  return sql`${json} ->> ${path}`
}

/** A value of a write: `value` if the condition holds, else `otherwise`. */
export function either<T = number>(condition: SQL, value: T | SQLWrapper, otherwise: T | SQLWrapper): SQL<T> {
  return sql<T>`iif(${condition}, ${value}, ${otherwise})`
}

export function decrementIf(condition: SQL, column: SQLiteColumn): SQL<number> {
  return sql`${column} - ${condition}`
}

/** Fails its batch if `condition` is false or null. `refusals` turns `code` (`[a-z_]+`) into a failure. */
export function failUnless(db: Database, condition: SQL, code: string) {
  return db.select({ check: valueIf(condition, null, code).as('check') }).from(sql`(select 1)`)
}

/** Like `failUnless`, but the value of a column in the write that it guards, so that no other statement is needed. */
export function valueIf<T>(condition: SQL, value: T, code: string): SQL<T> {
  // SQLite allows RAISE only in triggers. So `code` is a JSON path without `$`, which fails if `iif` evaluates it.
  return sql<T>`iif(${condition}, ${value}, json_extract('{}', ${code}))`
}

/** For `.catch` on a batch with `failUnless`: throws the failure of its `code`, and rethrows any other error. */
export function refusals(failures: Record<string, () => Error>): (error: unknown) => never {
  return (error) => {
    const [, code = ''] = /bad JSON path: '(\w+)'/.exec(messagesOf(error).join(': ')) ?? []
    throw failures[code]?.() ?? error
  }
}

/** Whether a write failed on a UNIQUE or NOT NULL constraint that includes the column. */
export function violates(error: unknown, column: SQLiteColumn): boolean {
  const named = `${getTableName(column.table)}.${column.name}`
  return messagesOf(error).some((message) => {
    const [, columns = ''] = /(?:UNIQUE|NOT NULL) constraint failed: ([\w., ]+)/.exec(message) ?? []
    return columns.split(',').some((violated) => violated.trim().split(':')[0] === named)
  })
}
