import { z } from '@hono/zod-openapi'
import { and, eq, exists, lte, ne, or } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { either, excluded, one, query, rowIf } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { firstIdAt, type Id } from '../../platform/data/ids.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { isActive } from '../accounts/policy.ts'
import { accounts } from '../accounts/tables.ts'
import { minutesOf, nextTime, Time, TimeZone, timeText, weekdayAt } from './quiet-hours.ts'
import { deliveries, digests, periods } from './tables.ts'

const MAX_BATCHES = 200
const PER_BATCH = 100

const Period = openEnum('DigestPeriod', periods, 'A `weekly` digest is sent on Mondays')
export const Digest = z
  .strictObject({ every: Period, timeZone: TimeZone, at: Time.openapi({ description: 'In the time zone' }) })
  .openapi('NotificationDigest', { example: { every: 'daily', timeZone: 'Europe/Berlin', at: '08:00' } })
export type Digest = z.infer<typeof Digest>

const Choice = openEnum('DigestChoice', ['never', ...periods], '`never` ends it')
export const DigestInput = z
  .strictObject({ every: Choice, timeZone: TimeZone, at: Time.openapi({ description: 'In the time zone' }) })
  .openapi('NotificationDigestInput', { example: { every: 'weekly', timeZone: 'Europe/Berlin', at: '08:00' } })
export type DigestInput = z.infer<typeof DigestInput>

type Wanted = Pick<typeof digests.$inferSelect, 'every' | 'timeZone' | 'minutes'>

export function nextDigestAt(now: number, { every, timeZone, minutes }: Wanted): number {
  let at = nextTime(now, timeZone, minutes)
  // Twelve hours later it is the next day, also if the clock is set forward or back.
  while (every === 'weekly' && weekdayAt(at, timeZone) !== 'Mon') at = nextTime(at + DAY_MS / 2, timeZone, minutes)
  return at
}

export const lengthOf = (every: Wanted['every']) => (every === 'daily' ? DAY_MS : 7 * DAY_MS)

export function storeDigest(ctx: SystemCtx, accountId: Id, { every, timeZone, at }: DigestInput) {
  const [db, now] = [ctx.db.shardOf(accountId), ctx.now()]
  const own = eq(digests.accountId, accountId)
  if (every === 'never') return db.delete(digests).where(own)
  const wanted = { every, timeZone, minutes: minutesOf(at) }
  const changed = or(
    ne(digests.every, wanted.every),
    ne(digests.timeZone, wanted.timeZone),
    ne(digests.minutes, wanted.minutes),
  )!
  const active = query
    .select(one)
    .from(accounts)
    .where(and(eq(accounts.id, accountId), isActive))
  const nextAt = either<number>(changed, excluded(digests.nextAt), digests.nextAt)
  return db
    .insert(digests)
    .select(rowIf(digests, { accountId, ...wanted, askedAt: now, nextAt: nextDigestAt(now, wanted) }, exists(active)))
    .onConflictDoUpdate({ target: digests.accountId, set: { ...wanted, nextAt } })
}

export async function readDigest(ctx: SystemCtx, accountId: Id) {
  const [row] = await ctx.db.shardOf(accountId).select().from(digests).where(eq(digests.accountId, accountId))
  return row ?? null
}

export const viewOfDigest = ({ every, timeZone, minutes }: Wanted): Digest => ({
  every,
  timeZone,
  at: timeText(minutes),
})

/** Makes one delivery of each digest that is due, and moves the digest on, in one batch. What was missed is not made up for. */
export async function planDigests(ctx: SystemCtx, db: Database): Promise<void> {
  const now = ctx.now()
  for (let n = 0; n < MAX_BATCHES; n++) {
    const due = await db.select().from(digests).where(lte(digests.nextAt, now)).limit(PER_BATCH)
    const [first, ...others] = due.flatMap((digest) => plan(db, digest, now))
    if (!first) return
    await db.batch([first, ...others])
  }
}

function plan(db: Database, { accountId, nextAt, ...wanted }: typeof digests.$inferSelect, now: number) {
  const row = {
    accountId,
    eventId: firstIdAt(nextAt),
    channel: 'digest',
    state: 'due',
    attempt: 0,
    nextAt: now,
  } as const
  const same = and(eq(digests.accountId, accountId), eq(digests.nextAt, nextAt))
  return [
    db.insert(deliveries).values(row).onConflictDoNothing(),
    db
      .update(digests)
      .set({ nextAt: nextDigestAt(now, wanted) })
      .where(same),
  ]
}
