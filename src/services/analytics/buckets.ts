import { DAY_MS } from '../../platform/data/expiry.ts'

export const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** Activities that arrive later than this count no person, because the salt of their day is destroyed. */
export const LATE_MS = 3 * DAY_MS
/** Steps of a new account count in its funnel for four weeks after the week of its registration. */
const COHORT_MS = 28 * DAY_MS

export const steps = ['day', 'week', 'month'] as const
export type Step = (typeof steps)[number]

export const dateOf = (at: number) => new Date(at).toISOString().slice(0, 10)

export const mondayOf = (at: number) => dateOf(at - ((new Date(at).getUTCDay() + 6) % 7) * DAY_MS)

/** The first date of the step that contains a time. */
export const startOf = {
  day: dateOf,
  week: mondayOf,
  month: (at: number) => `${dateOf(at).slice(0, 7)}-01`,
} satisfies Record<Step, (at: number) => string>

/** The name of a bucket: the first letter of its step and its first date, like `w2026-11-30`. */
export const bucketOf = (step: Step, at: number) => `${step.charAt(0)}${startOf[step](at)}`
/** The bucket of the people who registered in the week of this time. */
export const cohortOf = (at: number) => `c${mondayOf(at)}`
export const hourOf = (at: number) => `h${new Date(at).toISOString().slice(0, 13)}`

export const minuteOf = (at: number) => Math.floor(at / MINUTE_MS)
/** The rows of a minute, of which each has a bounded number of ids. */
export const PARTS = 100
/** The first row of a minute. */
export const slotOf = (at: number) => minuteOf(at) * PARTS
export const minuteIn = (slot: number) => Math.floor(slot / PARTS)
export const utcHourOf = (at: number) => Math.floor((at % DAY_MS) / HOUR_MS)

/** When no more people are added to a bucket, epoch ms. */
export function closesAt(bucket: string): number {
  const start = Date.parse(bucket.slice(1))
  const end = { d: start + DAY_MS, w: start + 7 * DAY_MS, m: start + 31 * DAY_MS, c: start + 7 * DAY_MS + COHORT_MS }
  return (Object.entries(end).find(([letter]) => bucket.startsWith(letter))?.[1] ?? start) + LATE_MS
}

export function bucketsBetween(step: Step, from: number, to: number): string[] {
  const days = Array.from({ length: Math.max(0, Math.floor((to - from) / DAY_MS) + 1) }, (_, i) => from + i * DAY_MS)
  return [...new Set([...days, to].map((at) => bucketOf(step, at)))]
}
