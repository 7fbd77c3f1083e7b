import { z } from '@hono/zod-openapi'
import { and, desc, eq, gte, lte, min, notExists, sql, sum } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { query as builder } from '../../platform/data/conditions.ts'
import { languages } from './language.ts'
import { fromIndex } from './match.ts'
import { hiddenTrends, type TrendKind, trendCounts, trendFolds, trendHours, trendKinds, trendSums } from './tables.ts'
import { WINDOWS, windowOf } from './votes.ts'

const HALF_LIFE_HOURS = 6
const MIN_ACTORS = 3
/** More than are shown, because some are hidden from the viewer. */
const KEPT = 50
/** Of the things of each kind in an hour, so that the work of a minute does not grow with the network. */
const FOLDED = 2_000
export const ALL = 'all'

const Trend = z.object({ key: z.string(), actors: z.int(), hours: z.int() })
export const Trends = z.record(z.enum(trendKinds), z.array(Trend))
export type Trends = z.infer<typeof Trends>
export const none: Trends = { post: [], tag: [], link: [] }

export const keyOf = (lang: string) => `trending:${lang}`

/** Each minute: counts the votes, and stores the lists that have changed, empty ones too. */
export async function storeTrends(ctx: SystemCtx): Promise<void> {
  await fromIndex(ctx, foldHours(ctx))
  const lists = await countTrends(ctx)
  for (const lang of [ALL, ...languages]) {
    const text = JSON.stringify(lists.get(lang) ?? none)
    if ((await ctx.env.CACHE.get(keyOf(lang))) !== text) await ctx.env.CACHE.put(keyOf(lang), text)
  }
}

/** Adds up the votes of hours that have ended, once for each. Others may do so at the same time. */
export async function foldHours(ctx: SystemCtx, most = FOLDED): Promise<void> {
  const db = ctx.db.index
  const now = windowOf(ctx.now())
  const folded = new Set((await db.select().from(trendFolds)).map(({ window }) => window))
  const ended = Array.from({ length: WINDOWS }, (_, i) => now - WINDOWS + i).filter((window) => !folded.has(window))
  const [first, ...others] = ended.flatMap((window) => [
    ...trendKinds.map((kind) =>
      db
        .insert(trendHours)
        .select(sumsOf(window, kind, most))
        .onConflictDoNothing(),
    ),
    db.insert(trendFolds).values({ window }).onConflictDoNothing(),
  ])
  if (first) await db.batch([first, ...others])
}

/** Those with the most weight, because newcomers can be many. */
function sumsOf(window: number, kind: TrendKind, most: number) {
  const { others, actors } = trendCounts
  const own = and(eq(trendCounts.window, window), eq(trendCounts.kind, kind))
  return builder.select().from(trendCounts).where(own).orderBy(desc(others), desc(actors)).limit(most)
}

export async function countTrends(ctx: SystemCtx): Promise<Map<string, Trends>> {
  const now = windowOf(ctx.now())
  const [ofLanguages, ofAll] = await fromIndex(
    ctx,
    ctx.db.index.batch([ranked(ctx, now, true), ranked(ctx, now, false)]),
  )
  const byLanguage = Map.groupBy(ofLanguages, ({ lang }) => lang)
  return new Map([[ALL, ofAll] as const, ...byLanguage].map(([lang, own]) => [lang, listsOf(own, now)]))
}

type Counted = { kind: TrendKind; key: string; actors: number; first: number | null; score: number }

function listsOf(rows: readonly Counted[], now: number): Trends {
  const sorted = rows.toSorted((a, b) => b.score - a.score || (a.key < b.key ? -1 : 1))
  const listOf = (kind: TrendKind) =>
    sorted
      .filter((row) => row.kind === kind)
      .map(({ key, actors, first }) => ({ key, actors, hours: now - (first ?? now) + 1 }))
  return { post: listOf('post'), tag: listOf('tag'), link: listOf('link') }
}

/** The first of each kind, and language if those are told apart. Newcomers add at most as much as all others together. */
function ranked(ctx: SystemCtx, now: number, hasLanguages: boolean) {
  const { window, kind, key, lang } = trendSums
  const halfLife = sql.raw(HALF_LIFE_HOURS.toFixed(1))
  const decayed = (column: typeof trendSums.others | typeof trendSums.newcomers) =>
    sql<number>`sum(${column} * pow(0.5, (${now} - ${window}) / ${halfLife}))`
  const hides = and(eq(hiddenTrends.kind, kind), eq(hiddenTrends.key, key), eq(hiddenTrends.isHidden, true))
  const things = builder
    .select({
      kind,
      key,
      lang,
      actors: sum(trendSums.actors).mapWith(Number).as('all_actors'),
      first: min(window).as('first'),
      others: decayed(trendSums.others).as('all_others'),
      newcomers: decayed(trendSums.newcomers).as('all_newcomers'),
    })
    .from(trendSums)
    .where(and(gte(window, now - WINDOWS), notExists(builder.select().from(hiddenTrends).where(hides))))
    .groupBy(kind, key, ...(hasLanguages ? [lang] : []))
    .as('things')
  const score = sql<number>`${things.others} + min(${things.others}, ${things.newcomers})`
  const group = hasLanguages ? things.lang : things.kind
  const placed = builder
    .select({
      kind: things.kind,
      key: things.key,
      lang: things.lang,
      actors: things.actors,
      first: things.first,
      score: score.as('score'),
      place:
        sql<number>`row_number() over (partition by ${things.kind}, ${group} order by ${score} desc, ${things.key})`.as(
          'place',
        ),
    })
    .from(things)
    .where(and(gte(things.actors, MIN_ACTORS), gte(score, sql.raw('1e-9'))))
    .as('placed')
  return ctx.db.index.select().from(placed).where(lte(placed.place, KEPT))
}
