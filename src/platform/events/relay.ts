import type { SystemCtx } from '../context.ts'
import { withTimeout } from '../timeout.ts'
import type { Committed } from './events.ts'
import { wakeSweeper } from './sweeper.client.ts'

const SEND_TIMEOUT_MS = 5_000

/** Sends committed events without waiting for the sweeper. A failure loses nothing: the rows stay in the outbox. */
export async function relay(ctx: SystemCtx, events: Committed[]): Promise<void> {
  const sources = new Set(events.map((event) => event.source))
  await Promise.all([
    withTimeout(ctx.env.EVENTS.sendBatch(events.map((body) => ({ body }))), SEND_TIMEOUT_MS).catch((error: unknown) =>
      ctx.log.warn('events wait in the outbox', { error }),
    ),
    ...[...sources].map((source) => wakeSweeper(ctx, source)),
  ])
}
