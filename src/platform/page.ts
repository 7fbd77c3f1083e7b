import { z } from '@hono/zod-openapi'
import { asc, desc, gt, lt, type SQL, sql } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { Bound } from './db.ts'
import { invalid } from './errors.ts'
import { Id, toId } from './ids.ts'

const MAX_LIMIT = 50

/** The query of every list: `limit` (1 to 50, 20 by default) and an opaque `cursor` from an earlier page. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(20),
  cursor: z.string().max(40).optional(),
})
export type PageQuery = z.infer<typeof PageQuery>

export type Page<T> = { items: T[]; nextCursor: string | null; previousCursor: string | null }

/** The wire shape of a list: `nextCursor` goes on, `previousCursor` asks for what has come in ahead of this page. */
export function pageOf<T extends z.ZodType>(name: string, item: T) {
  return z
    .object({ items: z.array(item), nextCursor: z.string().nullable(), previousCursor: z.string().nullable() })
    .openapi(`${name}Page`)
}

type Order = 'newest' | 'oldest'
type Position = { side: 'after' | 'before'; id: Id }

/** Keyset paging over an id column (never OFFSET): what to add to a query so that it yields the page and one row more. */
export type Seek = Clauses & {
  limit: number
  query: PageQuery
  /** For a query with `preparedSeek`. */
  variant: SeekVariant
  values: { cursor: number; limit: number }
  /** The cursor that leads back to where this one came from, for a page that turns out to be empty. */
  back: string | null
}

type SeekVariant = { hasCursor: boolean; backward: boolean }
type Clauses = { where: SQL | undefined; order: typeof asc; limit: Bound<number> }

/** Reads the cursor. `order` is how the list is shown. Throws `invalid` for a cursor that we never gave out. */
export function seek(query: PageQuery, column: SQLiteColumn, order: Order = 'newest'): Seek {
  const from = query.cursor === undefined ? null : decode(query.cursor)
  const backward = from?.side === 'before'
  const descending = (order === 'newest') !== backward
  return {
    ...clauses(column, descending, from?.id ?? null),
    limit: query.limit + 1,
    query,
    variant: { hasCursor: from !== null, backward },
    values: { cursor: Number(from?.id), limit: query.limit + 1 },
    back: from && encode(backward ? 'after' : 'before', toId(Number(from.id) + (descending ? -1 : 1))),
  }
}

/** What a `Seek` adds to a prepared query, newest first: the same for all whose `variant` it is, and given its `values`. */
export function preparedSeek(column: SQLiteColumn, variant: SeekVariant): Clauses {
  const cursor = variant.hasCursor ? sql.placeholder('cursor') : null
  return { ...clauses(column, !variant.backward, cursor), limit: sql.placeholder('limit') }
}

function clauses(column: SQLiteColumn, descending: boolean, cursor: Bound<Id> | null): Omit<Clauses, 'limit'> {
  return {
    where: cursor ? (descending ? lt : gt)(column, cursor) : undefined,
    order: descending ? desc : asc,
  }
}

/** The ids of rows, in their order. */
export function idsOf(rows: readonly { id: Id }[]): Id[] {
  return rows.map(({ id }) => id)
}

/**
 * The page of what a `Seek` found, as `load` shows it, by id. `rows` are as the query gave them; cursors are taken from
 * the rows, so that an item left out by `load`, since the viewer may not see it, makes neither gap nor repeat.
 */
export async function loadPage<R extends { id: Id }, T>(
  from: Seek,
  rows: readonly R[],
  load: (rows: R[]) => Promise<ReadonlyMap<Id, T>>,
): Promise<Page<T>> {
  const { backward } = from.variant
  const more = rows.length > from.query.limit
  const kept = rows.slice(0, from.query.limit)
  if (backward) kept.reverse()
  const shown = await load(kept)
  const items = kept.flatMap(({ id }) => shown.get(id) ?? [])
  const [first, last] = [kept[0], kept.at(-1)]
  if (!first || !last) {
    const here = from.query.cursor ?? null
    return { items, nextCursor: backward ? from.back : null, previousCursor: backward ? here : from.back }
  }
  const nextCursor = backward || more ? encode('after', last.id) : null
  return { items, nextCursor, previousCursor: encode('before', first.id) }
}

function encode(side: Position['side'], id: Id): string {
  return btoa(`${side}:${id}:${sumOf(side, id)}`)
    .replaceAll('=', '')
    .replaceAll('+', '-')
    .replaceAll('/', '_')
}

function decode(cursor: string): Position {
  const text = /^[\w-]+$/.test(cursor) ? safeAtob(cursor.replaceAll('-', '+').replaceAll('_', '/')) : ''
  const [side, id, sum] = text.split(':')
  const parsed = Id.safeParse(id)
  const known = side === 'after' || side === 'before'
  if (!known || !parsed.success || sum !== sumOf(side, parsed.data)) {
    throw invalid('cursor', 'is not one that a list gave out')
  }
  return { side, id: parsed.data }
}

/** Makes a cursor that was cut or altered fail, where it would lead somewhere else. */
function sumOf(side: Position['side'], id: Id): string {
  return String((Number(id) + side.length) % 9_973)
}

function safeAtob(text: string): string {
  return text.length % 4 === 1 ? '' : atob(text)
}
