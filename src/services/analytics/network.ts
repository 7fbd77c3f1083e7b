import { z } from '@hono/zod-openapi'
import { gte } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { bucketOf, bucketsBetween, dateOf, MINUTE_MS, minuteIn, minuteOf, PARTS } from './buckets.ts'
import { Day } from './day.ts'
import { type DateQuery, periodOf } from './period.ts'
import { numbersOf } from './reading.ts'
import { slots } from './tables.ts'

const MINUTES = 60
const acts = ['post', 'comment', 'like', 'follow', 'register', 'login', 'mail'] as const

const NetworkDay = z
  .object({
    start: Day,
    activePeople: z.int(),
    impressions: z.int(),
    posts: z.int(),
    comments: z.int(),
    likes: z.int(),
    follows: z.int(),
    registrations: z.int(),
    logins: z.int(),
    mails: z.int(),
  })
  .openapi('NetworkDay', { example: { start: '2026-11-30', activePeople: 812, posts: 340 } })

const NetworkMinute = z
  .object({ at: z.iso.datetime(), posts: z.int() })
  .openapi('NetworkMinute', { example: { at: '2026-11-30T12:00:00.000Z', posts: 4 } })

export const Overview = z
  .object({
    from: Day,
    to: Day,
    daily: z.int().openapi({ description: 'Active people on the last day (DAU)' }),
    weekly: z.int().openapi({ description: 'In the week of the last day, from Monday (WAU)' }),
    monthly: z.int().openapi({ description: 'In the month of the last day (MAU)' }),
    stickiness: z
      .number()
      .nullable()
      .openapi({ description: 'The mean of active people per day of the month so far, divided by `monthly`' }),
    points: z.array(NetworkDay),
    minutes: z.array(NetworkMinute).openapi({ description: 'The posts and comments of the last hour, by minute' }),
  })
  .openapi('Overview', { example: { daily: 812, weekly: 2_120, monthly: 4_005, stickiness: 0.21 } })
export type Overview = z.infer<typeof Overview>

export async function getOverview(ctx: UserCtx, query: z.infer<typeof DateQuery>): Promise<Overview> {
  const { from, to } = periodOf(ctx, query)
  const days = bucketsBetween('day', from, to)
  const [day, week, month] = [bucketOf('day', to), bucketOf('week', to), bucketOf('month', to)]
  const ofMonth = bucketsBetween('day', Date.parse(month.slice(1)), to)
  const metrics = acts.map((kind) => `site.${kind}`)
  const [{ count, people }, minutes] = await Promise.all([
    numbersOf(
      ctx,
      [{ metrics, buckets: days, keys: [''] }],
      [
        { metrics: ['people'], buckets: [...new Set([...days, ...ofMonth, week, month])], keys: [''] },
        { metrics: ['views'], buckets: days, keys: [''] },
      ],
    ),
    lastMinutes(ctx),
  ])
  const points = days.map((bucket) => {
    const of = (kind: (typeof acts)[number]) => count(`site.${kind}`, bucket)
    return {
      start: bucket.slice(1),
      activePeople: people('people', bucket),
      impressions: people('views', bucket),
      posts: of('post'),
      comments: of('comment'),
      likes: of('like'),
      follows: of('follow'),
      registrations: of('register'),
      logins: of('login'),
      mails: of('mail'),
    }
  })
  const monthly = people('people', month)
  const mean = ofMonth.reduce((sum, bucket) => sum + people('people', bucket), 0) / ofMonth.length
  const stickiness = monthly === 0 ? null : Math.round((1_000 * mean) / monthly) / 1_000
  const active = { daily: people('people', day), weekly: people('people', week), monthly, stickiness }
  return { from: dateOf(from), to: dateOf(to), ...active, points, minutes }
}

/** A slot keeps what happened in the network after it was folded. */
async function lastMinutes(ctx: UserCtx): Promise<Overview['minutes']> {
  const first = minuteOf(ctx.now()) - MINUTES + 1
  const rows = await ctx.db.analytics
    .select({ slot: slots.slot, site: slots.site })
    .from(slots)
    .where(gte(slots.slot, first * PARTS))
  const parts = Map.groupBy(rows, ({ slot }) => minuteIn(slot))
  return Array.from({ length: MINUTES }, (_, i) => {
    const posts = (parts.get(first + i) ?? []).reduce(
      (sum, { site }) => sum + (site.post ?? 0) + (site.comment ?? 0),
      0,
    )
    return { at: new Date((first + i) * MINUTE_MS).toISOString(), posts }
  })
}
