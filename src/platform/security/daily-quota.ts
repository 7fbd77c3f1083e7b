import { DAY_MS } from '../data/expiry.ts'
import { Failure } from '../failures.ts'

/** The UTC day of a time (epoch ms), as the number of days since 1970. */
export function dayOf(time: number): number {
  return Math.floor(time / DAY_MS)
}

/** 429 until the next day, with the headers of a rate limit. `rule` is the middle of "An account may … a day". */
export function quotaExceeded(ctx: { now: () => number }, name: string, most: number, rule: string): Failure {
  const now = ctx.now()
  const seconds = Math.ceil(((dayOf(now) + 1) * DAY_MS - now) / 1_000)
  return new Failure('quota_exceeded', `An account may ${rule} a day; the next day begins at 00:00 UTC`, {
    headers: {
      'ratelimit-policy': `"${name}";q=${most};w=${DAY_MS / 1_000}`,
      ratelimit: `"${name}";r=0;t=${seconds}`,
      'retry-after': String(seconds),
    },
  })
}
