import { eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { deleteInSteps } from '../../platform/data/expiry.ts'
import type { Id } from '../../platform/data/ids.ts'
import { mapConcurrently } from '../../platform/data/shards.ts'
import { notificationMarkers, notifications, withdrawnLikes } from './tables.ts'

/** Notifications of others about the account are withdrawn by the events of what it undoes. */
export async function eraseNotifications(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const db = ctx.db.shardOf(accountId)
  const marks = await mapConcurrently(ctx.db.shards, (shard) =>
    deleteInSteps(
      ctx.db.shard(shard),
      withdrawnLikes,
      [withdrawnLikes.accountId, withdrawnLikes.postId],
      eq(withdrawnLikes.accountId, accountId),
    ),
  )
  await db.delete(notificationMarkers).where(eq(notificationMarkers.accountId, accountId))
  const key = [notifications.accountId, notifications.id]
  return (await deleteInSteps(db, notifications, key, eq(notifications.accountId, accountId))) && marks.every(Boolean)
}
