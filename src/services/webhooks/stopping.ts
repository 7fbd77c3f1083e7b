import { and, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import { record } from '../../platform/events/events.ts'
import { webhookStopped } from './events.ts'
import type { Owner } from './facts.ts'
import { isOwn } from './queries.ts'
import { webhookEndpoints } from './tables.ts'

/** Pauses an endpoint that does not work, unless its owner has paused it already. */
export async function stopEndpoint(
  ctx: SystemCtx,
  { webhookId, accountId }: Owner,
  reason: 'failing' | 'gone',
): Promise<void> {
  const db = ctx.db.shardOf(accountId)
  await db.commit([
    db
      .update(webhookEndpoints)
      .set({ state: reason })
      .where(and(isOwn(accountId, webhookId), eq(webhookEndpoints.state, 'active'))),
    record(db, webhookStopped, { accountId, webhookId, reason }, changed),
  ])
}
