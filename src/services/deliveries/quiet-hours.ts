import { z } from '@hono/zod-openapi'

const MINUTE_MS = 60_000
const DAY_MINUTES = 24 * 60

/** Minutes since midnight, in an IANA time zone. `from` may be later than `to`: the hours then include midnight. */
export type QuietHours = { timeZone: string; from: number; to: number }

/** When the quiet hours of `now` end (epoch ms); null outside of them. The clock may be set forward or back meanwhile. */
export function quietUntil(now: number, hours: QuietHours | null): number | null {
  if (hours === null || !isQuiet(minutesAt(now, hours.timeZone), hours)) return null
  return nextTime(now, hours.timeZone, hours.to)
}

/** When it is `minutes` since midnight in the time zone, after `now`, within about a day. */
export function nextTime(now: number, timeZone: string, minutes: number): number {
  const start = now - (now % MINUTE_MS)
  const end = start + (minutesUntil(minutesAt(now, timeZone), minutes) || DAY_MINUTES) * MINUTE_MS
  const missed = minutesUntil(minutesAt(end, timeZone), minutes)
  const corrected = end + (missed > DAY_MINUTES / 2 ? missed - DAY_MINUTES : missed) * MINUTE_MS
  // A time that the clock skips on that day is `end`.
  return minutesAt(corrected, timeZone) === minutes ? corrected : end
}

export const weekdayAt = (time: number, timeZone: string) =>
  formatOf(timeZone)
    .formatToParts(time)
    .find(({ type }) => type === 'weekday')?.value

function isQuiet(minutes: number, { from, to }: QuietHours): boolean {
  return from <= to ? from <= minutes && minutes < to : from <= minutes || minutes < to
}

const minutesUntil = (minutes: number, wanted: number) => (wanted - minutes + DAY_MINUTES) % DAY_MINUTES

const formats = new Map<string, Intl.DateTimeFormat>()
const MAX_FORMATS = 50

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known) return known
  const zone = isTimeZone(timeZone) ? timeZone : 'UTC'
  const parts = { hour: 'numeric', minute: 'numeric', weekday: 'short', hourCycle: 'h23' } as const
  const format = new Intl.DateTimeFormat('en', { timeZone: zone, ...parts })
  if (formats.size > MAX_FORMATS) formats.clear()
  formats.set(timeZone, format)
  return format
}

function minutesAt(time: number, timeZone: string): number {
  const format = formatOf(timeZone)
  const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]))
  return parts.get('hour')! * 60 + parts.get('minute')!
}

export function isTimeZone(name: string): boolean {
  try {
    return /^[A-Za-z]/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }) !== null
  } catch {
    return false
  }
}

export const TimeZone = z.string().max(64).refine(isTimeZone, 'must be an IANA time zone, like Europe/Berlin')

export const Time = z
  .string()
  .length(5)
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time like 22:30')
  .openapi({ example: '22:30' })

export const minutesOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

export const timeText = (minutes: number) =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':')
