import { and, gte, lte, type SQL, sql } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { type Id, toId } from '../../platform/data/ids.ts'
import { continuedAt, loadPage, type Page, type Seek } from '../../platform/data/page.ts'
import { loadPosts, type Post } from '../posts/views.ts'
import { LAST_ID, markAfter } from './marks.ts'
import { fromIndex } from './match.ts'
import { postSearch } from './tables.ts'

const ROUND = 50
const ROUNDS = 3
export const SCANNED = ROUND * ROUNDS
/** A page ends after so many visible posts. Hidden ones do not count, so that they do not shorten a page. */
const VISIBLE = 100

/** What to look for in `post_search`, before `until`, and then among the visible posts. */
export type Wanted = { where: SQL | undefined; minLikes?: number; until?: Id | null; last?: Id }
export type Found = { id: Id; post: Post }
type Scan = { found: Found[]; resumeAt: Id | null }

/**
 * Loads candidates in rounds of 50, until one more than `limit` is visible and wanted. `resumeAt` is the last candidate
 * that was looked at, if others may follow. What the viewer may not see changes neither the posts nor whether more follow.
 */
export async function scanVisible(
  ctx: Ctx,
  candidates: readonly { id: Id }[],
  limit: number,
  minLikes = 0,
): Promise<Scan> {
  const found: Found[] = []
  let visible = 0
  for (let at = 0; at < candidates.length; at += ROUND) {
    const ids = candidates.slice(at, at + ROUND).map(({ id }) => id)
    const posts = await loadPosts(ctx, ids)
    for (const id of ids) {
      const post = posts.get(id)
      if (!post) continue
      visible += 1
      if (post.likeCount >= minLikes) found.push({ id, post })
      if (found.length > limit) return { found, resumeAt: null }
      if (visible === VISIBLE) return { found, resumeAt: id }
    }
  }
  return { found, resumeAt: candidates.length === SCANNED ? (candidates.at(-1)?.id ?? null) : null }
}

export async function visiblePage<T>(
  ctx: Ctx,
  from: Seek,
  { minLikes, ...wanted }: Wanted,
  present: (found: Found) => T,
): Promise<Page<T>> {
  const { rows, stop } = await fromIndex(ctx, candidates(ctx, from, wanted))
  const scan = await scanVisible(ctx, rows, from.query.limit, minLikes)
  const { found } = scan
  const resumeAt = scan.resumeAt ?? (rows.length < SCANNED ? stop : null)
  const page = await loadPage(ctx, from, found, async (kept) => new Map(kept.map((each) => [each.id, present(each)])))
  return resumeAt && found.length <= from.query.limit ? continuedAt(ctx, from, page, resumeAt) : page
}

/** `stop`: where the search ended, because a query that few posts match would else read the whole index. */
export async function candidates(ctx: Ctx, from: Seek, { where, until, last }: Omit<Wanted, 'minLikes'>) {
  const { id } = postSearch
  const { backward, hasCursor } = from.variant
  const cursor = hasCursor ? toId(from.values.cursor) : LAST_ID
  const start = until && Number(until) < Number(cursor) ? until : cursor
  const db = ctx.db.index
  const end = sql`coalesce((${markAfter(db, start, backward)}), ${backward ? Number(LAST_ID) : 0})`
  const isBefore = backward ? lte : gte
  const [rows, [mark]] = await Promise.all([
    db
      .select({ id })
      .from(postSearch)
      .where(and(where, from.seeking(id), isBefore(id, end), last && isBefore(id, last)))
      .orderBy(from.order(id))
      .limit(SCANNED),
    markAfter(db, start, backward),
  ])
  return { rows, stop: mark?.firstId ?? null }
}
