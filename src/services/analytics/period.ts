import { z } from '@hono/zod-openapi'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { invalid } from '../../platform/failures.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { bucketsBetween, dateOf, mondayOf, type Step, startOf } from './buckets.ts'
import { Day } from './day.ts'
import { insightsDays } from './variables.ts'

const MOST_DAYS = 31
const DEFAULT_DAYS = 14
/** Numbers of fewer people are not shown, because they could tell who somebody is. */
export const FEWEST_PEOPLE = 5

export const Format = z.enum(['json', 'csv']).optional().openapi({ description: 'Like `Accept: text/csv`' })

export const InsightSteps = openEnum('InsightStep', ['day', 'week'] as const, 'The length of a point')
export const DateQuery = z.strictObject({
  from: Day.optional().openapi({ description: 'The first day (UTC); by default 13 days before `to`' }),
  to: Day.optional().openapi({ description: `The last day (UTC); today by default. At most ${MOST_DAYS} days` }),
  format: Format,
})
export const PeriodQuery = DateQuery.extend({ step: z.enum(['day', 'week']).default('day') })

export type Period = { from: number; to: number; step: Exclude<Step, 'month'> }

/** Throws `invalid` for a period that is empty, too long, in the future, or older than what is kept. */
export function periodOf(
  ctx: { now: () => number; env: Env },
  { from, to, step = 'day' }: { from?: string; to?: string; step?: Period['step'] },
): Period {
  const today = Date.parse(dateOf(ctx.now()))
  const last = to === undefined ? today : Date.parse(to)
  const first = from === undefined ? last - (DEFAULT_DAYS - 1) * DAY_MS : Date.parse(from)
  if (last > today) throw invalid('to', 'must not be in the future')
  if (first > last) throw invalid('from', 'must not be after `to`')
  if (last - first >= MOST_DAYS * DAY_MS) throw invalid('from', `must be at most ${MOST_DAYS - 1} days before \`to\``)
  if (first < today - insightsDays(ctx) * DAY_MS) throw invalid('from', `must be in the last ${insightsDays(ctx)} days`)
  if (step === 'day') return { from: first, to: last, step }
  // Whole weeks, so that no period can be chosen that contains only one reader.
  const sunday = Date.parse(mondayOf(last)) + 6 * DAY_MS
  return { from: Date.parse(mondayOf(first)), to: Math.min(sunday, today), step }
}

export const pointsOf = ({ from, to, step }: Period) => bucketsBetween(step, from, to)

export function daysOf({ from, to, step }: Period, point: string): string[] {
  return bucketsBetween('day', from, to).filter((day) => startOf[step](Date.parse(day.slice(1))) === point.slice(1))
}

/** What authors see of a number of people: multiples of 5, so that subtracting two numbers reveals no single person. */
export function rounded(people: number): number | null {
  const shown = people - (people % FEWEST_PEOPLE)
  return shown === 0 ? null : shown
}

export const enough = (people: number): number | null => (people < FEWEST_PEOPLE ? null : people)
