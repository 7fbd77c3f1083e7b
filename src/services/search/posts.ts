import { z } from '@hono/zod-openapi'
import { and, gte, lt, type SQL } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { firstIdAt, toId } from '../../platform/data/ids.ts'
import { continuedAt, loadPage, type Page, PageQuery, seek } from '../../platform/data/page.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { accountIdsOf } from '../identity/queries.ts'
import { rankedPage } from './best.ts'
import { fromIndex, matches } from './match.ts'
import { handlesOf, matchOf, minLikesOf, parseQuery, type Query, spanOf } from './query.ts'
import { SCANNED, scanVisible, type Wanted } from './scan-visible.ts'
import { postSearch } from './tables.ts'
import type { FoundPost } from './views.ts'

const orders = ['newest', 'best'] as const
const SearchOrder = openEnum('SearchOrder', orders, 'The order of what was found')

export const TypedQuery = z.string().min(1).max(800).openapi({ maxLength: 200, example: 'engines' })
export const PostSearchQuery = PageQuery.extend({ q: TypedQuery, order: SearchOrder.default('newest') })
export type PostSearchQuery = z.infer<typeof PostSearchQuery>

const nothing: Page<never> = { items: [], nextCursor: null, previousCursor: null }

/** Finds public posts, and comments on them. Hidden ones are left out before anything is counted or a cursor is made. */
export async function searchPosts(ctx: Ctx, { q, order, ...page }: PostSearchQuery): Promise<Page<FoundPost>> {
  const query = parseQuery(q)
  const handles = handlesOf(query)
  const match = matchOf(query, handles.length > 0 ? await accountIdsOf(ctx, handles) : new Map())
  if (match === null) return nothing
  const wanted = {
    where: and(matches(postSearch, match), ...limitsOf(query)),
    texts: query.terms.flatMap(({ text, isNegated }) => (isNegated ? [] : [text])),
    minLikes: minLikesOf(query),
  }
  return order === 'best' ? rankedPage(ctx, wanted, { q, ...page }) : newestPage(ctx, wanted, { q, ...page })
}

function limitsOf(query: Query): (SQL | undefined)[] {
  const { from, until } = spanOf(query)
  const firstId = (time: number) => toId(Math.max(0, Number(firstIdAt(time))))
  return [
    from === null ? undefined : gte(postSearch.id, firstId(from)),
    until === null ? undefined : lt(postSearch.id, firstId(until)),
  ]
}

type Paging = PageQuery & { q: string }

async function newestPage(ctx: Ctx, wanted: Wanted, { q, ...query }: Paging): Promise<Page<FoundPost>> {
  const from = await seek(ctx, query, `newest posts with ${q}`, postSearch.id)
  const rows = await fromIndex(
    ctx,
    ctx.db.index
      .select({ id: postSearch.id })
      .from(postSearch)
      .where(and(wanted.where, from.where))
      .orderBy(from.order(postSearch.id))
      .limit(SCANNED),
  )
  const { found, resumeAt } = await scanVisible(ctx, rows, wanted, query.limit)
  const page = await loadPage(ctx, from, found, async (kept) => new Map(kept.map((each) => [each.id, each])))
  return resumeAt && found.length <= query.limit ? continuedAt(ctx, from, page, resumeAt) : page
}
