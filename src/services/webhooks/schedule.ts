import { DAY_MS } from '../../platform/data/expiry.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** The delay before each attempt, as Standard Webhooks recommends. */
const delays = [
  0,
  5_000,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
]
const JITTER = 0.1

/** How long to wait after so many failed attempts; null after the last one. */
export function delayAfter(attempts: number, random = Math.random()): number | null {
  const delay = delays[attempts]
  return delay === undefined ? null : Math.round(delay * (1 + JITTER * random))
}

const FAILURES_TO_OPEN = 5
const LONGEST_OPEN_MS = 5 * MINUTE_MS

/** How long an endpoint rests after so many failures in a row. Then one attempt tells whether it works again. */
export function restAfter(failures: number): number {
  const beyond = failures - FAILURES_TO_OPEN
  return beyond < 0 ? 0 : Math.min(5_000 * 2 ** Math.min(beyond, 10), LONGEST_OPEN_MS)
}

export const isOpen = (failures: number) => failures >= FAILURES_TO_OPEN

/** The delay that `Retry-After` (RFC 9110) asks for, in ms: seconds or a date, a day at most. */
export function retryAfterOf(header: string | null, now: number): number {
  const text = header?.trim() ?? ''
  const wanted = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now
  return Number.isNaN(wanted) ? 0 : Math.max(0, Math.min(wanted, DAY_MS))
}
