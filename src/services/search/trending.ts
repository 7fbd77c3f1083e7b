import { z } from '@hono/zod-openapi'
import type { Ctx, SystemCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { loadPosts } from '../posts/views.ts'
import { languages } from './language.ts'
import { ALL, countTrends, keyOf, none, Trends } from './trend-lists.ts'
import type { TrendingLinks, TrendingPosts, TrendingTags } from './views.ts'

const SHOWN = 10
const ISOLATE_MS = 10_000

export const TrendQuery = z.strictObject({
  lang: z
    .string()
    .regex(/^[a-z]{2}$/, 'must be a language of two letters')
    .refine((lang) => languages.includes(lang), 'is not a language that is recognized')
    .optional()

    .openapi({ maxLength: 2, description: 'Only what is written in this language (ISO 639-1)', example: 'en' }),
})
type TrendQuery = z.infer<typeof TrendQuery>

type Kept = { trends: Trends; until: number }
const kept = new Map<string, Kept>()

export function forgetKept(): void {
  kept.clear()
}

/** A read of a list takes no trip: it is in this isolate for ten seconds, and in KV. */
async function trendsOf(ctx: SystemCtx, lang = ALL): Promise<Trends> {
  const known = kept.get(lang)
  if (known && known.until > ctx.now()) return known.trends
  const stored = await ctx.env.CACHE.get(keyOf(lang)).catch((error: unknown) => {
    ctx.log.warn('the cache cannot be read', { error })
    return undefined
  })
  const stale = known?.trends ?? (stored === undefined ? (await countTrends(ctx)).get(lang) : undefined)
  const trends = stored === undefined ? (stale ?? none) : (Trends.safeParse(JSON.parse(stored ?? 'null')).data ?? none)
  kept.set(lang, { trends, until: ctx.now() + ISOLATE_MS })
  return trends
}

export async function trendingPosts(ctx: Ctx, { lang }: TrendQuery): Promise<TrendingPosts> {
  const { post: trends } = await trendsOf(ctx, lang)
  const ids = trends.flatMap(({ key }) => Id.safeParse(key).data ?? [])
  const posts = await loadPosts(ctx, ids)
  const items = trends.flatMap(({ key, ...why }) => {
    const post = posts.get(Id.parse(key))
    return post ? [{ post, ...why }] : []
  })
  return { items: items.slice(0, SHOWN) }
}

export async function trendingTags(ctx: Ctx, { lang }: TrendQuery): Promise<TrendingTags> {
  const { tag } = await trendsOf(ctx, lang)
  return { items: tag.slice(0, SHOWN).map(({ key, ...why }) => ({ tag: key, ...why })) }
}

export async function trendingLinks(ctx: Ctx, { lang }: TrendQuery): Promise<TrendingLinks> {
  const { link } = await trendsOf(ctx, lang)
  return { items: link.slice(0, SHOWN).map(({ key, ...why }) => ({ url: key, ...why })) }
}
