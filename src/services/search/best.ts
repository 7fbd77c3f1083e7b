import { and, lte } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { type Id, toId } from '../../platform/data/ids.ts'
import { type Page, type PageQuery, seek } from '../../platform/data/page.ts'
import { invalid } from '../../platform/failures.ts'
import { open, seal } from '../../platform/security/crypto.ts'
import { loadPosts } from '../posts/views.ts'
import { fromIndex } from './match.ts'
import { byScore } from './rank.ts'
import { candidates, type Found, type Wanted } from './scan-visible.ts'
import { postSearch } from './tables.ts'

const PART = 50
const BASE = 36

type Place = { newest: Id; last: Id; index: number }

/**
 * The newest 150 posts that match, in the order of BM25. Its statistics are those of these posts as the viewer sees them:
 * the ones of the whole index would read all posts with a frequent word. Later pages rank the same posts.
 */
export async function rankedPage<T>(
  ctx: Ctx,
  { q, texts, minLikes = 0, ...wanted }: Wanted & { q: string; texts: readonly string[] },
  { limit, cursor }: PageQuery,
  present: (found: Found) => T,
): Promise<Page<T>> {
  const list = `cursor:best posts with ${q}`
  const place = cursor === undefined ? null : await openPlace(ctx, list, cursor)
  const from = await seek(ctx, { limit }, list, postSearch.id)
  const where = and(wanted.where, place ? lte(postSearch.id, place.newest) : undefined)
  const { rows } = await fromIndex(
    ctx,
    candidates(ctx, from, { ...wanted, where, until: place?.newest ?? wanted.until }),
  )
  const parts = [0, 1, 2].map((part) => rows.slice(part * PART, (part + 1) * PART).map(({ id }) => id))
  const loaded = await Promise.all(parts.map((ids) => loadPosts(ctx, ids)))
  const visible = loaded.flatMap((posts) => [...posts].map(([id, post]) => ({ id, post })))
  const ranked = byScore(visible, texts).filter(({ post }) => post.likeCount >= minLikes)
  const start = place ? startAfter(ranked, place) : 0
  const shown = ranked.slice(start, start + limit)
  const last = shown.at(-1)?.id
  const page = { items: shown.map(present), previousCursor: null }
  const newest = place?.newest ?? newestOf(visible)
  if (!last || !newest || start + limit >= ranked.length) return { ...page, nextCursor: null }
  return { ...page, nextCursor: await sealPlace(ctx, list, { newest, last, index: start + limit }) }
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
