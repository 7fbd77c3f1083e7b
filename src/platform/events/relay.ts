import type { Env } from '../config.ts'
import type { SystemCtx } from '../context.ts'
import { withTimeout } from '../timeout.ts'
import type { Committed } from './events.ts'

const SEND_DEADLINE_MS = 5_000

/**
 * Sends committed events on their way, ahead of the sweeper. A failure is no loss: the outbox keeps the rows.
 * Also makes sure that the sweeper of each database is awake.
 */
export async function relay(ctx: SystemCtx, events: Committed[]): Promise<void> {
  ctx.cost.queueMessages += events.length
  await Promise.all([
    withTimeout(ctx.env.EVENTS.sendBatch(events.map((body) => ({ body }))), SEND_DEADLINE_MS).catch((error: unknown) =>
      ctx.log.warn('events wait in the outbox', { error }),
    ),
    ...new Set(events.map((event) => event.source)).values().map((source) => wakeSweeper(ctx.env, source, ctx.now())),
  ])
}

const WAKE_INTERVAL_MS = 5_000
const awakeUntil = new Map<string, number>()

/** Arms the alarm that resends what is left in the outbox of `source`; at most one call per isolate in five seconds. */
export async function wakeSweeper(env: Env, source: string, now: number): Promise<void> {
  if ((awakeUntil.get(source) ?? 0) > now) return
  awakeUntil.set(source, now + WAKE_INTERVAL_MS)
  await env.SWEEPER.getByName(source).arm(source)
}

/** Wakes the sweeper of every database that has an outbox. */
export async function wakeSweepers(ctx: SystemCtx): Promise<void> {
  const sources = ['d', ...ctx.db.shards.map(String)]
  await Promise.all(sources.map((source) => wakeSweeper(ctx.env, source, ctx.now())))
}
