import { z } from '@hono/zod-openapi'
import type { UserCtx } from '../../platform/context.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { queryInteger } from '../../platform/data/query-integer.ts'
import { bucketsBetween, cohortOf } from './buckets.ts'
import { Day } from './day.ts'
import { enough, Format } from './period.ts'
import { numbersOf } from './reading.ts'

const MOST_WEEKS = 12
const few = 'Null if they are fewer than 5'

export const CohortQuery = z.strictObject({
  weeks: queryInteger({ min: 1, max: MOST_WEEKS }).optional().openapi({ description: 'How many weeks; 8 by default' }),
  format: Format,
})
type CohortQuery = z.infer<typeof CohortQuery>

const ActiveWeek = z
  .object({ week: z.int(), people: z.int().nullable().openapi({ description: few }) })
  .openapi('ActiveWeek', {
    description: 'How many people of a cohort were active in the n-th week after that of their registration',
    example: { week: 1, people: 64 },
  })

const Cohort = z
  .object({
    start: Day.openapi({ description: 'The Monday of the week of registration' }),
    registered: z.int().nullable().openapi({ description: few }),
    active: z.array(ActiveWeek),
  })
  .openapi('Cohort', { example: { start: '2026-11-23', registered: 120 } })
export const Retention = z.object({ points: z.array(Cohort) }).openapi('Retention')

const FunnelWeek = z
  .object({
    start: Day.openapi({ description: 'The Monday of the week of registration' }),
    registered: z.int().nullable(),
    verified: z.int().nullable(),
    followed: z.int().nullable(),
    posted: z.int().nullable(),
  })
  .openapi('FunnelWeek', {
    description: `People who registered in a week, and how many did each step in the four weeks after it. ${few}`,
    example: { start: '2026-11-23', registered: 120, verified: 96, followed: 70, posted: 31 },
  })
export const Funnel = z.object({ points: z.array(FunnelWeek) }).openapi('Funnel')

const weeksUntil = (now: number, weeks = 8) => bucketsBetween('week', now - (weeks - 1) * 7 * DAY_MS, now)
const cohortIn = (week: string) => cohortOf(Date.parse(week.slice(1)))

export async function getRetention(ctx: UserCtx, { weeks: wanted }: CohortQuery): Promise<z.infer<typeof Retention>> {
  const weeks = weeksUntil(ctx.now(), wanted)
  const { people } = await numbersOf(
    ctx,
    [],
    [
      ...weeks.map((week, i) => ({ metrics: ['cohort'], buckets: weeks.slice(i), keys: [week.slice(1)] })),
      { metrics: ['funnel'], buckets: weeks.map(cohortIn), keys: ['register'] },
    ],
  )
  const points = weeks.map((week, i) => ({
    start: week.slice(1),
    registered: enough(people('funnel', cohortIn(week), 'register')),
    active: weeks
      .slice(i)
      .map((bucket, later) => ({ week: later, people: enough(people('cohort', bucket, week.slice(1))) })),
  }))
  return { points }
}

export async function getFunnel(ctx: UserCtx, { weeks: wanted }: CohortQuery): Promise<z.infer<typeof Funnel>> {
  const weeks = weeksUntil(ctx.now(), wanted)
  const keys = ['register', 'verify', 'follow', 'post']
  const { people } = await numbersOf(ctx, [], [{ metrics: ['funnel'], buckets: weeks.map(cohortIn), keys }])
  const points = weeks.map((week) => {
    const of = (step: string) => enough(people('funnel', cohortIn(week), step))
    const steps = { registered: of('register'), verified: of('verify'), followed: of('follow'), posted: of('post') }
    return { start: week.slice(1), ...steps }
  })
  return { points }
}
