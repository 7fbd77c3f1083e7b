import { and, asc, eq, lte } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { enqueue } from '../../platform/events/tasks.ts'
import { deliverTask } from './statements.ts'
import { type Channel, deliveries } from './tables.ts'

const MINUTE_MS = 60_000
/** How long a delivery is left to the one who claimed it. */
const LEASE_MS = 5 * MINUTE_MS
const LONGEST_WAIT_MS = 8 * 60 * MINUTE_MS
/** The waits grow threefold, from a minute to `LONGEST_WAIT_MS`: 22 hours in all. */
const MAX_ATTEMPTS = 9
const ROWS_PER_RUN = 1_000
const ROWS_PER_TASK = 50

export type Claimed = {
  accountId: Id
  channel: Channel
  attempts: ReadonlyMap<Id, number>
  reached: ReadonlyMap<Id, Id[]>
}
type Delivery = { accountId: Id; channel: Channel; eventIds: readonly Id[] }

const among = ({ accountId, channel }: Omit<Delivery, 'eventIds'>, eventIds: readonly Id[]) =>
  and(eq(deliveries.accountId, accountId), eq(deliveries.channel, channel), idIn(deliveries.eventId, eventIds))

/** Takes those of the deliveries that are due, so that nobody else delivers them. */
export async function claim(ctx: SystemCtx, { eventIds, ...whose }: Delivery): Promise<Claimed> {
  const now = ctx.now()
  const rows = await ctx.db
    .shardOf(whose.accountId)
    .update(deliveries)
    .set({ nextAt: now + LEASE_MS })
    .where(and(among(whose, eventIds), lte(deliveries.nextAt, now)))
    .returning({ eventId: deliveries.eventId, attempt: deliveries.attempt, reached: deliveries.reached })
  return {
    ...whose,
    attempts: new Map(rows.map(({ eventId, attempt }) => [eventId, attempt])),
    reached: new Map(rows.map(({ eventId, reached }) => [eventId, reached ?? []])),
  }
}

type Change = Partial<Pick<typeof deliveries.$inferInsert, 'state' | 'attempt' | 'nextAt' | 'reached'>>

async function change(ctx: SystemCtx, claimed: Claimed, eventIds: readonly Id[], set: Change): Promise<void> {
  if (eventIds.length === 0) return
  await ctx.db.shardOf(claimed.accountId).update(deliveries).set(set).where(among(claimed, eventIds))
}

export function settle(
  ctx: SystemCtx,
  claimed: Claimed,
  eventIds: readonly Id[],
  state: 'sent' | 'dropped' | 'failed',
) {
  return change(ctx, claimed, eventIds, { state, nextAt: null })
}

/** Waits until `at` (epoch ms), which is no failure. */
export function postpone(ctx: SystemCtx, claimed: Claimed, eventIds: readonly Id[], at: number) {
  return change(ctx, claimed, eventIds, { nextAt: at })
}

/** After a failure: tries again later, not before `waitMs`, or gives up. `reached` are the devices that need no other attempt. */
export async function retryLater(
  ctx: SystemCtx,
  claimed: Claimed,
  eventIds: readonly Id[],
  waitMs = 0,
  reached?: Id[],
): Promise<void> {
  for (const [failed, group] of Map.groupBy(eventIds, (id) => claimed.attempts.get(id) ?? 0)) {
    const attempt = failed + 1
    const nextAt = ctx.now() + Math.max(waitMs, Math.min(MINUTE_MS * 3 ** failed, LONGEST_WAIT_MS))
    if (attempt < MAX_ATTEMPTS) await change(ctx, claimed, group, { attempt, nextAt, reached })
    else await giveUp(ctx, claimed, group, attempt)
  }
}

async function giveUp(ctx: SystemCtx, claimed: Claimed, eventIds: readonly Id[], attempt: number): Promise<void> {
  ctx.log.warn('a delivery was given up', { channel: claimed.channel, deliveries: eventIds.length })
  await change(ctx, claimed, eventIds, { state: 'failed', attempt, nextAt: null })
}

/** Hands over what is due on the shard. What does not fit is left to the next minute. */
export async function findDue(ctx: SystemCtx, db: Database): Promise<void> {
  const { accountId, channel, eventId, nextAt } = deliveries
  const rows = await db
    .select({ accountId, channel, eventId })
    .from(deliveries)
    .where(lte(nextAt, ctx.now()))
    .orderBy(asc(nextAt))
    .limit(ROWS_PER_RUN)
  const groups = [...Map.groupBy(rows, (row) => `${row.accountId} ${row.channel}`).values()]
  await enqueue(ctx, deliverTask, groups.flatMap(tasksOf))
}

function tasksOf(rows: readonly { accountId: Id; channel: Channel; eventId: Id }[]) {
  const [first] = rows
  if (!first) return []
  const eventIds = rows.slice(0, ROWS_PER_TASK).map((row) => row.eventId)
  return [{ accountId: first.accountId, channel: first.channel, eventIds }]
}
