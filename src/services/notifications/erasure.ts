import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { deleteInSteps } from '../../platform/data/expiry.ts'
import type { Id } from '../../platform/data/ids.ts'
import { notificationMarkers, notifications } from './tables.ts'

/** Notifications of others about the account are withdrawn by the events of what it undoes. */
export async function eraseNotifications(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const db = ctx.db.shardOf(accountId)
  await db.delete(notificationMarkers).where(eq(notificationMarkers.accountId, accountId))
  const key = [notifications.accountId, notifications.id]
  return deleteInSteps(db, notifications, key, eq(notifications.accountId, accountId))
}
