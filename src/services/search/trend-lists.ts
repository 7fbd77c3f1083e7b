import { z } from '@hono/zod-openapi'
import { and, count, desc, gte, max, min, sql } from 'drizzle-orm'
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
const RANKED = 5_000
/** At most so many of the newest votes, so that the work of a minute does not grow with the network. */
const COUNTED = 200_000
export const ALL = 'all'

const Trend = z.object({ key: z.string(), actors: z.int(), hours: z.int() })
export const Trends = z.record(z.enum(trendKinds), z.array(Trend))
export type Trends = z.infer<typeof Trends>
export const none: Trends = { post: [], tag: [], link: [] }

export const keyOf = (lang: string) => `trending:${lang}`

/** Each minute: counts the votes, and stores the lists that have changed, empty ones too. */
export async function storeTrends(ctx: SystemCtx): Promise<void> {
  const lists = await countTrends(ctx)
  for (const lang of [ALL, ...languages]) {
    const text = JSON.stringify(lists.get(lang) ?? none)
    if ((await ctx.env.CACHE.get(keyOf(lang))) !== text) await ctx.env.CACHE.put(keyOf(lang), text)
  }
}

export async function countTrends(ctx: SystemCtx): Promise<Map<string, Trends>> {
  const now = windowOf(ctx.now())
  const db = ctx.db.index
  const [hidden, rows] = await fromIndex(ctx, Promise.all([db.select().from(hiddenTrends), ranked(ctx, now)]))
  const names = new Set(hidden.map(({ kind, key }) => `${kind} ${key}`))
  const shown = rows.filter(({ kind, key }) => !names.has(`${kind} ${key}`))
  const byLanguage = Map.groupBy(shown, ({ lang }) => lang)
  return new Map([[ALL, inAll(shown)] as const, ...byLanguage].map(([lang, own]) => [lang, listsOf(own, now)]))
}

type Counted = Awaited<ReturnType<typeof ranked>>[number]

function inAll(rows: readonly Counted[]): Counted[] {
  const things = [...Map.groupBy(rows, ({ kind, key }) => `${kind} ${key}`).values()]
  return things.flatMap((same) => {
    const [first] = same
    const sum = (name: 'actors' | 'score') => same.reduce((total, row) => total + row[name], 0)
    const start = Math.min(...same.map((row) => Number(row.first)))
    return first ? [{ ...first, actors: sum('actors'), score: sum('score'), first: String(start) }] : []
  })
}

function listsOf(rows: readonly Counted[], now: number): Trends {
  const sorted = rows.toSorted((a, b) => b.score - a.score || (a.key < b.key ? -1 : 1))
  const listOf = (kind: TrendKind) =>
    sorted
      .filter((row) => row.kind === kind)
      .slice(0, KEPT)
      .map(({ key, actors, first }) => ({ key, actors, hours: now - Number(first ?? now) + 1 }))
  return { post: listOf('post'), tag: listOf('tag'), link: listOf('link') }
}

/** Each account counts once, with its latest vote. Newcomers add at most as much as all others together. */
async function ranked(ctx: SystemCtx, now: number) {
  const newest = builder
    .select()
    .from(trendVotes)
    .where(gte(trendVotes.window, now - WINDOWS))
    .orderBy(desc(trendVotes.window))
    .limit(COUNTED)
    .as('newest')
  const { window, actorId, kind, key, lang, weight } = newest
  const halfLife = sql.raw(HALF_LIFE_HOURS.toFixed(1))
  const voters = builder
    .select({
      kind,
      key,
      lang,
      actorId,
      first: min(window).as('first'),
      weight: max(weight).as('most'),
      value: sql<number>`max(${weight} * pow(0.5, (${now} - ${window}) / ${halfLife}))`.as('value'),
    })
    .from(newest)
    .groupBy(kind, key, lang, actorId)
    .as('voters')
  const sumOf = (isNewcomer: number) =>
    sql`sum(iif((${voters.weight} <= ${NEWCOMER_WEIGHT}) = ${isNewcomer}, ${voters.value}, 0))`
  const score = sql<number>`${sumOf(0)} + min(${sumOf(0)}, ${sumOf(1)})`.as('score')
  return ctx.db.index
    .select({ kind: voters.kind, key: voters.key, lang: voters.lang, actors: count(), first: min(voters.first), score })
    .from(voters)
    .groupBy(voters.kind, voters.key, voters.lang)
    .having(({ actors, score: total }) => and(gte(actors, MIN_ACTORS), gte(total, sql.raw('1e-9'))))
    .orderBy(desc(score))
    .limit(RANKED)
}
