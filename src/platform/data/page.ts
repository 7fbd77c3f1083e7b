import { z } from '@hono/zod-openapi'
import { asc, desc, gt, lt, type SQL, sql } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { SystemCtx } from '../context.ts'
import { invalid } from '../http/errors.ts'
import { open, seal } from '../security/crypto.ts'
import type { Bound } from './databases.ts'
import { type Id, toId } from './ids.ts'

const MAX_LIMIT = 50
const MAX_CURSOR_LENGTH = 100
const ID_DIGITS = 16

/** The query of every list: `limit` (1 to 50, 20 by default) and an opaque `cursor` from an earlier page. */
export const PageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(20),
  cursor: z.string().max(MAX_CURSOR_LENGTH).optional(),
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
/** Where a page begins: next to the row with this id, going `backward` or on from it. */
type Position = { backward: boolean; id: Id }

/** Keyset paging over an id column (never OFFSET): what to add to a query so that it yields the page and one row more. */
export type Seek = Clauses & {
  /** What cursors are sealed for. */
  list: string
  limit: number
  query: PageQuery
  /** For a query with `preparedSeek`. */
  variant: SeekVariant
  values: { cursor: number; limit: number }
  /** What leads back to where the cursor came from, for a page that turns out to be empty. */
  back: Id | null
}

type SeekVariant = { hasCursor: boolean; backward: boolean }
type Clauses = { where: SQL | undefined; order: typeof asc; limit: Bound<number> }

/**
 * Reads the cursor. `list` says which list it is and whose: cursors lead into the list that gave them out alone, for in
 * another, filled by its reader, they could be told by their neighbours. `order` is how the list is shown. Throws `invalid`
 * for a cursor that this list never gave out.
 */
export async function seek(
  ctx: SystemCtx,
  query: PageQuery,
  list: string,
  column: SQLiteColumn,
  order: Order = 'newest',
): Promise<Seek> {
  const from = query.cursor === undefined ? null : await openCursor(ctx, list, query.cursor)
  const backward = from?.backward ?? false
  const descending = (order === 'newest') !== backward
  return {
    ...clauses(column, descending, from?.id ?? null),
    list,
    limit: query.limit + 1,
    query,
    variant: { hasCursor: from !== null, backward },
    values: { cursor: Number(from?.id), limit: query.limit + 1 },
    back: from && toId(Number(from.id) + (descending ? -1 : 1)),
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
  ctx: SystemCtx,
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
  const [first, last] = [kept[0]?.id ?? from.back, kept.at(-1)?.id ?? from.back]
  if (!first || !last) return { items, nextCursor: null, previousCursor: null }
  const { next, previous } = await sealCursors(ctx, from.list, first, last)
  if (kept.length > 0) return { items, nextCursor: backward || more ? next : null, previousCursor: previous }
  const here = from.query.cursor!
  return { items, nextCursor: backward ? next : null, previousCursor: backward ? here : previous }
}

/**
 * Sealed, for the rows may be some that the viewer must not know of; both cursors of a page are one seal of its ends. Every
 * id makes a cursor of the same length, whose base64 has no spare bits that could be altered unnoticed. Which way it leads
 * stands outside: turned round, it begins at the other end of the same page.
 */
async function sealCursors(ctx: SystemCtx, list: string, first: Id, last: Id) {
  const ends = await seal(ctx.config, `${first.padStart(ID_DIGITS)}${last.padStart(ID_DIGITS)}`, contextOf(list))
  return { previous: `p.${ends}`, next: `n.${ends}` }
}

async function openCursor(ctx: SystemCtx, list: string, cursor: string): Promise<Position> {
  const [, direction, sealed = ''] = /^([np])\.(.+)$/.exec(cursor) ?? []
  const ends = await open(ctx.config, sealed, contextOf(list)).catch(() => {
    throw invalid('cursor', 'is not one that this list gave out')
  })
  const backward = direction === 'p'
  return { backward, id: toId(Number(backward ? ends.slice(0, ID_DIGITS) : ends.slice(ID_DIGITS))) }
}

const contextOf = (list: string) => `cursor:${list}`
