import { signal } from '@preact/signals'

const now = signal(Date.now())
setInterval(() => {
  now.value = Date.now()
}, 30_000)

const exact = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeStyle: 'short' })
const thisYear = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric' })
const earlier = new Intl.DateTimeFormat('en', { month: 'short', day: 'numeric', year: 'numeric' })
const month = new Intl.DateTimeFormat('en', { month: 'long', year: 'numeric' })

/** How long ago, kept up to date. */
export function Ago({ at }: { at: string }) {
  const then = new Date(at)
  return (
    <time dateTime={at} title={exact.format(then)}>
      {ago(then)}
    </time>
  )
}

function ago(then: Date): string {
  const seconds = Math.max(0, (now.value - then.getTime()) / 1_000)
  if (seconds < 60) return 'now'
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`
  const sameYear = then.getFullYear() === new Date(now.value).getFullYear()
  return (sameYear ? thisYear : earlier).format(then)
}

export const exactTime = (at: string) => exact.format(new Date(at))
export const monthOf = (at: string) => month.format(new Date(at))
