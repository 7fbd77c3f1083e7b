import { and, desc, lte } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { type Id, toId } from '../../platform/data/ids.ts'
import type { Page, PageQuery } from '../../platform/data/page.ts'
import { invalid } from '../../platform/failures.ts'
import { open, seal } from '../../platform/security/crypto.ts'
import { fromIndex, rank } from './match.ts'
import { type Found, SCANNED, scanVisible, type Wanted } from './scan-visible.ts'
import { postSearch } from './tables.ts'

/** Ranking all matches of a frequent word takes seconds of the only thread of the database. */
const CANDIDATES = 500
const WEIGHTS = [1, 0, 0.5, 0]
const BASE = 36

/** A place in a ranking: the newest candidate of its first page, the last post before the place, and its index. */
type Place = { newest: Id; last: Id; index: number }

/** The newest 500 posts that match, in the order of bm25. Later pages rank the same posts, and not newer ones. */
export async function rankedPage<T>(
  ctx: Ctx,
  { q, ...wanted }: Wanted & { q: string },
  { limit, cursor }: PageQuery,
  present: (found: Found) => T,
): Promise<Page<T>> {
  const list = `cursor:best posts with ${q}`
  const place = cursor === undefined ? null : await openPlace(ctx, list, cursor)
  const ranked = await rankedIds(ctx, wanted, place?.newest)
  const start = place ? startAfter(ranked, place) : 0
  const { found, resumeAt } = await scanVisible(ctx, ranked.slice(start, start + SCANNED), limit, wanted.minLikes)
  const shown = found.slice(0, limit)
  const last = found.length > limit ? shown.at(-1)?.id : resumeAt
  const newest = place?.newest ?? newestOf(ranked)
  const page = { items: shown.map(present), previousCursor: null }
  if (!last || !newest) return { ...page, nextCursor: null }
  const next = { newest, last, index: ranked.findIndex(({ id }) => id === last) }
  return { ...page, nextCursor: await sealPlace(ctx, list, next) }
}

async function rankedIds(ctx: Ctx, { where }: Wanted, newest: Id | undefined): Promise<{ id: Id }[]> {
  const rows = await fromIndex(
    ctx,
    ctx.db.index
      .select({ id: postSearch.id, rank: rank(postSearch, ...WEIGHTS).as('rank') })
      .from(postSearch)
      .where(and(where, newest && lte(postSearch.id, newest)))
      .orderBy(desc(postSearch.id))
      .limit(CANDIDATES),
  )
  return rows.sort((a, b) => a.rank - b.rank)
}

function newestOf(ranked: readonly { id: Id }[]): Id | null {
  return ranked.length > 0 ? toId(Math.max(...ranked.map(({ id }) => Number(id)))) : null
}

function startAfter(ranked: readonly { id: Id }[], { last, index }: Place): number {
  const at = ranked.findIndex(({ id }) => id === last)
  return at >= 0 ? at + 1 : index
}

async function sealPlace(ctx: Ctx, list: string, { newest, last, index }: Place): Promise<string> {
  const numbers = [Number(newest), Number(last), index].map((number) => number.toString(BASE).padStart(2, '0'))
  return `n.${await seal(ctx.config, numbers.join('.').padEnd(27), list)}`
}

async function openPlace(ctx: Ctx, list: string, cursor: string): Promise<Place> {
  const text = await open(ctx.config, cursor.replace(/^n\./, ''), list).catch(() => {
    throw invalid('cursor', 'was not issued by this list')
  })
  const [newest = 0, last = 0, index = 0] = text
    .trim()
    .split('.')
    .map((part) => Number.parseInt(part, BASE))
  return { newest: toId(newest), last: toId(last), index }
}
