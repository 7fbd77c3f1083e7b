import { z } from '@hono/zod-openapi'
import { and, count, desc, eq, gte, max, min, sql } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { query as builder } from '../../platform/data/conditions.ts'
import { languages } from './language.ts'
import { fromIndex } from './match.ts'
import { hiddenTrends, type TrendKind, trendKinds, trendVotes } from './tables.ts'
import { NEWCOMER_WEIGHT, WINDOWS, windowOf } from './votes.ts'

const HALF_LIFE_HOURS = 6
const MIN_ACTORS = 3
/** More than are shown, because some are hidden from the viewer. */
const KEPT = 50
const KEPT_OF_LANGUAGES = 500
const KV_SECONDS = 3_600
export const ALL = 'all'

const Trend = z.object({ key: z.string(), actors: z.int(), hours: z.int() })
export const Trends = z.record(z.enum(trendKinds), z.array(Trend))
export type Trends = z.infer<typeof Trends>
export const none: Trends = { post: [], tag: [], link: [] }

export const keyOf = (lang: string) => `trending:${lang}`

/** Each minute: counts the votes, and stores the lists that have changed. */
export async function storeTrends(ctx: SystemCtx): Promise<void> {
  const lists = await countTrends(ctx)
  for (const lang of [ALL, ...languages]) {
    const stored = await ctx.env.CACHE.get(keyOf(lang))
    const text = JSON.stringify(lists.get(lang) ?? none)
    const isRenewed = lists.has(lang) || (stored !== null && stored !== text)
    if (isRenewed) await ctx.env.CACHE.put(keyOf(lang), text, { expirationTtl: KV_SECONDS })
  }
}

/** The lists of each language that has some, and of `ALL`. */
export async function countTrends(ctx: SystemCtx): Promise<Map<string, Trends>> {
  const now = windowOf(ctx.now())
  const db = ctx.db.index
  const [hidden, ...counted] = await fromIndex(
    ctx,
    Promise.all([
      db.select().from(hiddenTrends),
      ...trendKinds.flatMap((kind) => [ranked(ctx, kind, now, false), ranked(ctx, kind, now, true)]),
    ]),
  )
  const isShown = ({ kind, key }: { kind: TrendKind; key: string }) =>
    !hidden.some((each) => each.kind === kind && each.key === key)
  const rows = counted.flat().filter(isShown)
  return new Map(
    [...Map.groupBy(rows, ({ lang }) => lang)].map(([lang, own]) => {
      const listOf = (kind: TrendKind) =>
        own
          .filter((row) => row.kind === kind)
          .slice(0, KEPT)
          .map(({ key, actors, first }) => ({ key, actors, hours: now - Number(first ?? now) + 1 }))
      return [lang, { post: listOf('post'), tag: listOf('tag'), link: listOf('link') }]
    }),
  )
}

/** Each account counts once, with its latest vote. Newcomers add at most as much as all others together. */
async function ranked(ctx: SystemCtx, kind: TrendKind, now: number, byLanguage: boolean) {
  const { window, actorId, key, lang, weight } = trendVotes
  const halfLife = sql.raw(HALF_LIFE_HOURS.toFixed(1))
  const group = byLanguage ? [key, actorId, lang] : [key, actorId]
  const voters = builder
    .select({
      key,
      lang,
      actorId,
      first: min(window).as('first'),
      weight: max(weight).as('most'),
      value: sql<number>`max(${weight} * pow(0.5, (${now} - ${window}) / ${halfLife}))`.as('value'),
    })
    .from(trendVotes)
    .where(and(eq(trendVotes.kind, kind), gte(window, now - WINDOWS)))
    .groupBy(...group)
    .as('voters')
  const sumOf = (isNewcomer: number) =>
    sql`sum(iif((${voters.weight} <= ${NEWCOMER_WEIGHT}) = ${isNewcomer}, ${voters.value}, 0))`
  const score = sql<number>`${sumOf(0)} + min(${sumOf(0)}, ${sumOf(1)})`.as('score')
  const rows = await ctx.db.index
    .select({ key: voters.key, lang: voters.lang, actors: count(), first: min(voters.first), score })
    .from(voters)
    .groupBy(...(byLanguage ? [voters.key, voters.lang] : [voters.key]))
    .having(({ actors, score: total }) => and(gte(actors, MIN_ACTORS), gte(total, sql.raw('1e-9'))))
    .orderBy(desc(score))
    .limit(byLanguage ? KEPT_OF_LANGUAGES : KEPT)
  return rows.map((row) => ({ ...row, kind, lang: byLanguage ? row.lang : ALL }))
}
