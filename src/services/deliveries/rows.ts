import { and, count, desc, eq, gte, inArray, lte, min, type SQL } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { query } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { enqueue } from '../../platform/events/tasks.ts'
import { deliverTask } from './statements.ts'
import { deliveries, deliveryTurns, isOfMessages, type Lane } from './tables.ts'

const MINUTE_MS = 60_000
const LEASE_MS = 5 * MINUTE_MS
const LONGEST_WAIT_MS = 8 * 60 * MINUTE_MS
/** The waits grow threefold, from a minute to `LONGEST_WAIT_MS`: 22 hours in all. */
const MAX_ATTEMPTS = 9
const ACCOUNTS_PER_RUN = 1_000
const NAMED = 50

type Whose = { accountId: Id; channel: Lane }
/** Due deliveries of an account, with `lease` as their `nextAt`. `newest` names some, `total` counts all of them. */
export type Claimed = Whose & { lease: number; total: number; newest: Id[]; failures: number; reached: Id[] }

const ofAccount = ({ accountId, channel }: Whose) =>
  and(eq(deliveries.accountId, accountId), eq(deliveries.channel, channel))

const leaseOf = ({ accountId, channel }: Whose) =>
  query
    .select({ lease: deliveryTurns.lease })
    .from(deliveryTurns)
    .where(and(eq(deliveryTurns.accountId, accountId), eq(deliveryTurns.channel, channel)))

/** Takes all deliveries of the account that are due, so that nobody else delivers them; null if there are none. */
export async function claim(ctx: SystemCtx, whose: Whose): Promise<Claimed | null> {
  const now = ctx.now()
  const lease = now + LEASE_MS
  const mine = and(ofAccount(whose), eq(deliveries.nextAt, lease))
  const db = ctx.db.shardOf(whose.accountId)
  const [, { meta }, rows, [all]] = await db.batch([
    // What is still claimed after its message was sent: the update that follows it had failed.
    db
      .update(deliveries)
      .set({ state: 'sent', nextAt: null })
      .where(and(ofAccount(whose), lte(deliveries.nextAt, now), inArray(deliveries.nextAt, leaseOf(whose)))),
    db
      .update(deliveries)
      .set({ nextAt: lease })
      .where(and(ofAccount(whose), lte(deliveries.nextAt, now))),
    db
      .select({ id: deliveries.eventId, attempt: deliveries.attempt, reached: deliveries.reached })
      .from(deliveries)
      .where(mine)
      .orderBy(desc(deliveries.eventId))
      .limit(NAMED),
    db.select({ total: count() }).from(deliveries).where(mine),
  ])
  if (meta.changes === 0) return null
  const [first] = rows
  const reached = (first?.reached ?? []).filter((id) => rows.every((row) => row.reached?.includes(id)))
  const failures = Math.min(...rows.map(({ attempt }) => attempt))
  return { ...whose, lease, total: all?.total ?? 0, newest: rows.map(({ id }) => id), failures, reached }
}

type Change = Partial<Pick<typeof deliveries.$inferInsert, 'state' | 'attempt' | 'nextAt' | 'reached'>>

/** Changes what is still claimed: not what was settled, and not what another one has claimed since. */
async function change(ctx: SystemCtx, claimed: Claimed, set: Change, which?: SQL): Promise<void> {
  const named = isOfMessages(claimed.channel) ? idIn(deliveries.eventId, claimed.newest) : undefined
  const mine = and(ofAccount(claimed), eq(deliveries.nextAt, claimed.lease), named, which)
  await ctx.db.shardOf(claimed.accountId).update(deliveries).set(set).where(mine)
}

export function settle(ctx: SystemCtx, claimed: Claimed, state: 'sent' | 'dropped' | 'failed', which?: SQL) {
  return change(ctx, claimed, { state, nextAt: null }, which)
}

/** A failure is left to the next claim, because the message must not be sent again. */
export function settleSent(ctx: SystemCtx, claimed: Claimed): Promise<void> {
  return settle(ctx, claimed, 'sent').catch((error: unknown) =>
    ctx.log.warn('sent deliveries are settled later', { error }),
  )
}

/** At the end of a claim of messages: what came during the claim, or was not named by it, is due now. */
export async function release(ctx: SystemCtx, claimed: Claimed): Promise<void> {
  if (!isOfMessages(claimed.channel)) return
  const { nextAt } = deliveries
  const isLeft = and(gte(nextAt, claimed.lease), lte(nextAt, claimed.lease + MINUTE_MS / 2))
  const free = ctx.db.shardOf(claimed.accountId).update(deliveries).set({ nextAt: ctx.now() })
  await free.where(and(ofAccount(claimed), isLeft))
}

export function postpone(ctx: SystemCtx, claimed: Claimed, at: number) {
  return change(ctx, claimed, { nextAt: at })
}

/** After a failure: tries again later, not before `waitMs`, or gives up. `reached` are the devices that need no other attempt. */
export async function retryLater(ctx: SystemCtx, claimed: Claimed, waitMs = 0, reached?: Id[]): Promise<void> {
  const attempt = claimed.failures + 1
  const nextAt = ctx.now() + Math.max(waitMs, Math.min(MINUTE_MS * 3 ** claimed.failures, LONGEST_WAIT_MS))
  if (attempt < MAX_ATTEMPTS) return change(ctx, claimed, { attempt, nextAt, reached })
  ctx.log.warn('a delivery was given up', { channel: claimed.channel, deliveries: claimed.total })
  await change(ctx, claimed, { state: 'failed', attempt, nextAt: null })
}

/** Takes the turn of the account for a message. Null if it was taken: of two calls at once one succeeds; else when it is free (epoch ms). */
export async function takeTurn(
  ctx: SystemCtx,
  { lease, ...whose }: Claimed,
  intervalMs: number,
): Promise<number | null> {
  const takenAt = ctx.now()
  const own = and(eq(deliveryTurns.accountId, whose.accountId), eq(deliveryTurns.channel, whose.channel))
  const db = ctx.db.shardOf(whose.accountId)
  const [taken, [turn]] = await db.batch([
    db
      .insert(deliveryTurns)
      .values({ accountId: whose.accountId, channel: whose.channel, takenAt, lease })
      .onConflictDoUpdate({
        target: [deliveryTurns.accountId, deliveryTurns.channel],
        set: { takenAt, lease },
        setWhere: lte(deliveryTurns.takenAt, takenAt - intervalMs),
      })
      .returning({ takenAt: deliveryTurns.takenAt }),
    db.select({ takenAt: deliveryTurns.takenAt }).from(deliveryTurns).where(own),
  ])
  return taken.length > 0 ? null : (turn?.takenAt ?? takenAt) + intervalMs
}

export async function returnTurn(ctx: SystemCtx, { accountId, channel }: Whose): Promise<void> {
  const own = and(eq(deliveryTurns.accountId, accountId), eq(deliveryTurns.channel, channel))
  await ctx.db.shardOf(accountId).update(deliveryTurns).set({ takenAt: 0, lease: 0 }).where(own)
}

/** Hands over the accounts of the shard for which something is due, those that have waited longest first. */
export async function findDue(ctx: SystemCtx, db: Database): Promise<void> {
  const { accountId, channel, nextAt } = deliveries
  const rows = await db
    .select({ accountId, channel })
    .from(deliveries)
    .where(lte(nextAt, ctx.now()))
    .groupBy(accountId, channel)
    .orderBy(min(nextAt))
    .limit(ACCOUNTS_PER_RUN)
  await enqueue(ctx, deliverTask, rows)
}
