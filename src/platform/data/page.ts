import { z } from '@hono/zod-openapi'
import { asc, desc, gt, lt, type SQL, sql } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import type { SystemCtx } from '../context.ts'
import { invalid } from '../failures.ts'
import { open, seal } from '../security/crypto.ts'
import type { Bound } from './conditions.ts'
import { firstIdAt, type Id, toId } from './ids.ts'
import { queryInteger } from './query-integer.ts'

export const MAX_LIMIT = 50
export const DEFAULT_LIMIT = 20
const MAX_CURSOR_LENGTH = 100
const ID_DIGITS = 16
/** Events copy items into lists. An item may therefore appear in a list this much later than it was created. */
const SETTLING_MS = 10_000

/** Parameters with which clients of other APIs page through lists. */
const OTHER_PAGING =
  /^(page|offset|skip|count|start|per[-_]?page|page[-_]?(size|number|token)|(since|max|min)[-_]?id)$/i
const useCursor = 'is not a known field; send the nextCursor of the previous page as cursor'

/** The query of every list. `cursor` is opaque and comes from an earlier page. */
export const PageQuery = z.strictObject(
  {
    limit: queryInteger({ min: 1, max: MAX_LIMIT }).default(DEFAULT_LIMIT).openapi({ default: DEFAULT_LIMIT }),
    cursor: z.string().max(MAX_CURSOR_LENGTH).optional(),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys' && issue.keys.some((key) => OTHER_PAGING.test(key)) ? useCursor : undefined,
  },
)
export type PageQuery = z.infer<typeof PageQuery>

export type Page<T> = { items: T[]; nextCursor: string | null; previousCursor: string | null }

/** The schema of a page. `nextCursor` leads to the items after this page, `previousCursor` to those before it. */
export function pageOf<T extends z.ZodType>(name: string, item: T) {
  return z.object(pageFields(item)).openapi(`${name}Page`)
}

function pageFields<T extends z.ZodType>(item: T) {
  const cursor = (example: string) => z.string().nullable().openapi({ example })
  return { items: z.array(item), nextCursor: cursor('kX0vQm3T'), previousCursor: cursor('uR7bYw5E') }
}

/** A page of a list in oldest-first order. At the end of the list, `endCursor` leads to the items that are added later. */
export type GrowingPage<T> = Page<T> & { endCursor: string | null }

export function growingPageOf<T extends z.ZodType>(name: string, item: T) {
  const description =
    'Null unless this is the last page. Leads to the items that are added later, and may repeat the newest'
  const endCursor = z.string().nullable().openapi({ description })
  return z.object({ ...pageFields(item), endCursor }).openapi(`${name}Page`)
}

type Order = 'newest' | 'oldest'
type Position = { backward: boolean; id: Id }

/** The `Link` header of a page (RFC 8288); null if it has no cursor. */
export function linksOf(url: string, { nextCursor, previousCursor }: Page<unknown>): string | null {
  const { pathname, searchParams } = new URL(url)
  const to = ([rel, cursor]: readonly [string, string | null]) => {
    if (cursor === null) return []
    searchParams.set('cursor', cursor)
    return [`<${pathname}?${searchParams}>; rel="${rel}"`]
  }
  return [['next', nextCursor] as const, ['prev', previousCursor] as const].flatMap(to).join(', ') || null
}

/** The cursors of a page. Those of equal pages differ, because each is encrypted anew. */
export function cursorsOf(page: Page<unknown>): string[] {
  return Object.entries(page).flatMap(([name, value]) => (name !== 'items' && typeof value === 'string' ? [value] : []))
}

/** Keyset pagination over an id column. The query returns one row more than the page, to tell whether more follow. */
export type Seek = Clauses & {
  list: string
  limit: number
  query: PageQuery
  /** For a prepared query, whose clauses `preparedSeek` builds. `seeking` is `where` for a column of another table. */
  variant: SeekVariant
  values: { cursor: number; limit: number }
  seeking: (column: SQLiteColumn) => SQL | undefined
  /** For an empty page: the id whose cursor leads back to the previous page. */
  back: Id | null
}

type SeekVariant = { hasCursor: boolean; backward: boolean }
type Clauses = { where: SQL | undefined; order: typeof asc; limit: Bound<number> }

/**
 * Reads the cursor of a page query. A cursor is bound to `list` (its name and owner): otherwise callers could send it
 * to a list that they fill, and infer the id in the cursor. Throws `invalid` for the cursor of another list.
 * @example
 * const from = await seek(ctx, query, `blocks of ${accountId}`, blocks.otherId)
 * db.select().from(blocks).where(from.where).orderBy(from.order(blocks.otherId)).limit(from.limit)
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
    seeking: (other) => clauses(other, descending, from?.id ?? null).where,
    back: from && toId(Number(from.id) + (descending ? -1 : 1)),
  }
}

/** The clauses of a prepared query for `variant`, to run with the `values` of its `Seek`. */
export function preparedSeek(column: SQLiteColumn, variant: SeekVariant, order: Order = 'newest'): Clauses {
  const cursor = variant.hasCursor ? sql.placeholder('cursor') : null
  return { ...clauses(column, (order === 'newest') !== variant.backward, cursor), limit: sql.placeholder('limit') }
}

function clauses(column: SQLiteColumn, descending: boolean, cursor: Bound<Id> | null): Omit<Clauses, 'limit'> {
  return {
    where: cursor ? (descending ? lt : gt)(column, cursor) : undefined,
    order: descending ? desc : asc,
  }
}

/** One page with the records of `ids`, in that order. Leaves out those that were not found. */
export function namedPage<T>(ids: readonly Id[], found: ReadonlyMap<Id, T>): Page<T> {
  return { items: ids.flatMap((id) => found.get(id) ?? []), nextCursor: null, previousCursor: null }
}

export function idsOf(rows: readonly { id: Id }[]): Id[] {
  return rows.map(({ id }) => id)
}

/** The cursors come from `rows`, so that a hidden item, which `load` omits, causes neither a gap nor a repeat. `end`: where the search for them stopped early. */
export async function loadPage<R extends { id: Id }, T>(
  ctx: SystemCtx,
  from: Seek,
  rows: readonly R[],
  load: (rows: R[]) => Promise<ReadonlyMap<Id, T>>,
  end: Id | null = null,
): Promise<Page<T>> {
  const { backward } = from.variant
  const more = rows.length > from.query.limit || end !== null
  const kept = rows.slice(0, from.query.limit)
  if (backward) kept.reverse()
  ctx.onRows?.(kept)
  const shown = await load(kept)
  const listed = kept.filter(({ id }) => shown.has(id))
  const items = listed.flatMap(({ id }) => shown.get(id) ?? [])
  seeks.set(items, { list: from.list, ids: idsOf(listed), hasPrevious: backward && more })
  const [newer, older] = [kept[0]?.id ?? from.back ?? end, kept.at(-1)?.id ?? from.back]
  const [first, last] = backward ? [end ?? newer, older ?? end] : [newer, end ?? older]
  if (!first || !last) return { items, nextCursor: null, previousCursor: null }
  const { next, previous } = await sealCursors(ctx, from.list, first, last)
  if (kept.length > 0 || end) return { items, nextCursor: backward || more ? next : null, previousCursor: previous }
  const here = from.query.cursor!
  return { items, nextCursor: backward ? next : null, previousCursor: backward ? here : previous }
}

type Listed = { list: string; ids: Id[]; hasPrevious: boolean }
const seeks = new WeakMap<object, Listed>()

/** Whether items precede a page that was read backwards; false for others, because it is unknown. */
export function hasPrevious({ items }: Page<unknown>): boolean {
  return seeks.get(items)?.hasPrevious ?? false
}

/** The position of one item of a page. With the prefix `n.` it is a cursor to the items after it, with `p.` before it. */
export async function positionOf(ctx: SystemCtx, { items }: Page<unknown>, index: number): Promise<string> {
  const { list, ids } = seeks.get(items) ?? {}
  const id = ids?.[index]
  if (list === undefined || id === undefined) throw new Error('the page was not read by loadPage')
  return (await sealCursors(ctx, list, id, id)).next.slice(2)
}

/** Like `loadPage`, for oldest-first order. `endCursor` stays before the newest items, as others may arrive late. */
export async function loadGrowingPage<R extends { id: Id }, T>(
  ctx: SystemCtx,
  from: Seek,
  rows: readonly R[],
  load: (rows: R[]) => Promise<ReadonlyMap<Id, T>>,
): Promise<GrowingPage<T>> {
  const page = await loadPage(ctx, from, rows, load)
  if (page.nextCursor !== null) return { ...page, endCursor: null }
  if (rows.length === 0 && from.query.cursor) return { ...page, endCursor: from.query.cursor }
  const end = Math.min(Number(rows.at(-1)?.id ?? 0), Number(firstIdAt(ctx.now() - SETTLING_MS)))
  return { ...page, endCursor: (await sealCursors(ctx, from.list, toId(end), toId(end))).next }
}

/** For a page that ended early: the cursor with which reading goes on after the row `id`. */
export async function continuedAt<P extends Page<unknown>>(ctx: SystemCtx, from: Seek, page: P, id: Id): Promise<P> {
  const { next, previous } = await sealCursors(ctx, from.list, id, id)
  return from.variant.backward ? { ...page, previousCursor: previous } : { ...page, nextCursor: next }
}

/** Encrypted, because the row of an id may be hidden from the viewer. Padded, so that the length reveals nothing. */
async function sealCursors(ctx: SystemCtx, list: string, first: Id, last: Id) {
  const ends = await seal(ctx.config, `${first.padStart(ID_DIGITS)}${last.padStart(ID_DIGITS)}`, contextOf(list))
  return { previous: `p.${ends}`, next: `n.${ends}` }
}

async function openCursor(ctx: SystemCtx, list: string, cursor: string): Promise<Position> {
  const [, direction, sealed = ''] = /^([np])\.(.+)$/.exec(cursor) ?? []
  const ends = await open(ctx.config, sealed, contextOf(list)).catch(() => {
    throw invalid('cursor', 'was not issued by this list')
  })
  const backward = direction === 'p'
  return { backward, id: toId(Number(backward ? ends.slice(0, ID_DIGITS) : ends.slice(ID_DIGITS))) }
}

const contextOf = (list: string) => `cursor:${list}`
