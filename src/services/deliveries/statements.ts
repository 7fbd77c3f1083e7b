import { z } from '@hono/zod-openapi'
import { and, eq, exists, lt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { all, one, query, rowIf } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { deleteInSteps } from '../../platform/data/expiry.ts'
import { Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { defineTask, enqueue } from '../../platform/events/tasks.ts'
import { type Kind, notifications } from '../notifications/tables.ts'
import { allows } from './policy.ts'
import { channels, deliveries, pushSubscriptions } from './tables.ts'

export const deliverTask = defineTask(
  'DELIVERIES',
  'notifications.deliver',
  z.object({ accountId: Id, channel: z.enum(channels) }),
)

/** After the insert of the notification, in its batch: a delivery for each channel that the account wants. */
export function planDeliveries(db: Database, accountId: Id, action: { id: Id; kind: Kind; actorId: Id }) {
  const own = and(eq(notifications.accountId, accountId), eq(notifications.id, action.id))
  const isNotified = exists(query.select(one).from(notifications).where(own))
  const device = query.select(one).from(pushSubscriptions).where(eq(pushSubscriptions.accountId, accountId))
  const row = { accountId, eventId: action.id, state: 'due', attempt: 0, nextAt: db.now() } as const
  const plan = (channel: 'mail' | 'push', ...conditions: Parameters<typeof all>) =>
    db
      .insert(deliveries)
      .select(rowIf(deliveries, { ...row, channel }, all(...conditions, isNotified)))
      .onConflictDoNothing()
      .returning({ eventId: deliveries.eventId })
  return [
    plan('mail', allows(accountId, action, 'mail')),
    plan('push', exists(device), allows(accountId, action, 'push')),
  ] as const
}

/** Only a hint: a job finds deliveries whose message was lost. Mails have none, so that the job sends several in one. */
export async function hintPush(ctx: SystemCtx, accountId: Id, planned: readonly { eventId: Id }[]): Promise<void> {
  if (planned.length === 0) return
  await enqueue(ctx, deliverTask, [{ accountId, channel: 'push' }]).catch((error: unknown) =>
    ctx.log.warn('a push waits for the next minute', { error }),
  )
}

export async function deleteOldDeliveries(db: Database, accountIds: readonly Id[], before: Id): Promise<void> {
  const key = [deliveries.accountId, deliveries.eventId, deliveries.channel]
  await deleteInSteps(db, deliveries, key, and(idIn(deliveries.accountId, accountIds), lt(deliveries.eventId, before)))
}
