import { signal } from '@preact/signals'

const now = signal(Date.now())
setInterval(() => {
  now.value = Date.now()
}, 30_000)

const exactFormat = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeStyle: 'short' })
const dayFormat = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric' })
const dayAndYearFormat = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', year: 'numeric' })
const longDayFormat = new Intl.DateTimeFormat('en', { dateStyle: 'long' })
const monthFormat = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric' })

/** A relative time that stays up to date. */
export function Ago({ at }: { at: string }) {
  const date = new Date(at)
  return (
    <time dateTime={at} title={exactFormat.format(date)}>
      {ago(date)}
    </time>
  )
}

function ago(date: Date): string {
  const seconds = Math.max(0, (now.value - date.getTime()) / 1_000)
  if (seconds < 60) return 'now'
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`
  const isThisYear = date.getFullYear() === new Date(now.value).getFullYear()
  return (isThisYear ? dayFormat : dayAndYearFormat).format(date)
}

const clockFormat = new Intl.DateTimeFormat('en', { timeStyle: 'short' })
const utcDayFormat = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', timeZone: 'UTC' })

export const clockTime = (at: string) => clockFormat.format(new Date(at))
/** A day in UTC, like those of statistics. */
export const shortDay = (date: string) => utcDayFormat.format(new Date(date))
export const exactTime = (at: string) => exactFormat.format(new Date(at))
export const day = (at: string) => longDayFormat.format(new Date(at))
export const monthAndYear = (at: string) => monthFormat.format(new Date(at))
