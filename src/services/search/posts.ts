import { z } from '@hono/zod-openapi'
import { and, gte, lt } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { firstIdAt, toId } from '../../platform/data/ids.ts'
import { type Page, PageQuery, seek } from '../../platform/data/page.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { accountIdsOf } from '../identity/queries.ts'
import { rankedPage } from './best.ts'
import { matches } from './match.ts'
import { handlesOf, matchOf, minLikesOf, parseQuery, type Query, spanOf } from './query.ts'
import { type Found, visiblePage } from './scan-visible.ts'
import { snippetOf } from './snippets.ts'
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
  const from = order === 'best' ? null : await seek(ctx, page, `newest posts with ${q}`, postSearch.id)
  const match = matchOf(query, handles.length > 0 ? await accountIdsOf(ctx, handles) : new Map())
  if (match === null) return nothing
  const { where, until } = limitsOf(query)
  const wanted = { where: and(matches(postSearch, match), where), until, minLikes: minLikesOf(query) }
  const texts = query.terms.flatMap(({ text, isNegated }) => (isNegated ? [] : [text]))
  const present = ({ id, post }: Found) => ({ id, post, snippet: snippetOf(post.text, texts) })
  return from ? visiblePage(ctx, from, wanted, present) : rankedPage(ctx, { ...wanted, q, texts }, page, present)
}

function limitsOf(query: Query) {
  const span = spanOf(query)
  const firstId = (time: number) => toId(Math.max(0, Number(firstIdAt(time))))
  const [first, until] = [span.from, span.until].map((time) => (time === null ? null : firstId(time)))
  const where = and(first ? gte(postSearch.id, first) : undefined, until ? lt(postSearch.id, until) : undefined)
  return { where, until: until ?? null }
}
