const MINUTE_MS = 60_000
const DAY_MINUTES = 24 * 60

/** Minutes since midnight, in an IANA time zone. `from` may be later than `to`: the hours then include midnight. */
export type QuietHours = { timeZone: string; from: number; to: number }

/** When the quiet hours of `now` end (epoch ms); null outside of them. The clock may be set forward or back meanwhile. */
export function quietUntil(now: number, hours: QuietHours | null): number | null {
  if (hours === null || !isQuiet(minutesAt(now, hours.timeZone), hours)) return null
  const start = now - (now % MINUTE_MS)
  const end = start + minutesUntil(minutesAt(now, hours.timeZone), hours.to) * MINUTE_MS
  const missed = minutesUntil(minutesAt(end, hours.timeZone), hours.to)
  return end + (missed > DAY_MINUTES / 2 ? missed - DAY_MINUTES : missed) * MINUTE_MS
}

function isQuiet(minutes: number, { from, to }: QuietHours): boolean {
  return from <= to ? from <= minutes && minutes < to : from <= minutes || minutes < to
}

const minutesUntil = (minutes: number, wanted: number) => (wanted - minutes + DAY_MINUTES) % DAY_MINUTES

function minutesAt(time: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en', { timeZone, hour: 'numeric', minute: 'numeric', hourCycle: 'h23' })
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
