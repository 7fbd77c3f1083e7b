import { and, eq, gt, inArray, lt, lte, type SQL } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { query } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { readAt } from './queries.ts'
import { notificationMarkers, notifications } from './tables.ts'

const ROWS_PER_STEP = 1_000
const MAX_STEPS = 100

type Target = { notificationId: Id }

export async function markRead(ctx: UserCtx, { upTo }: { upTo?: Id }): Promise<void> {
  if (upTo !== undefined) return markRows(ctx, lte(notifications.id, upTo))
  const marker = { accountId: ctx.viewer.id, readAt: ctx.now() }
  const isLater = lt(notificationMarkers.readAt, marker.readAt)
  await ctx.db
    .shardOf(ctx.viewer.id)
    .insert(notificationMarkers)
    .values(marker)
    .onConflictDoUpdate({ target: notificationMarkers.accountId, set: marker, setWhere: isLater })
}

export async function markOneRead(ctx: UserCtx, { notificationId }: Target): Promise<void> {
  await markRows(ctx, eq(notifications.id, notificationId))
}

/** What has been added to the group since `notificationId` stays unread. */
export async function markGroupRead(ctx: UserCtx, { notificationId }: Target): Promise<void> {
  const own = and(eq(notifications.accountId, ctx.viewer.id), eq(notifications.id, notificationId))
  const { id, kind, groupId } = notifications
  const [found] = await ctx.db.shardOf(ctx.viewer.id).select({ kind, groupId }).from(notifications).where(own)
  if (!found?.groupId) return markOneRead(ctx, { notificationId })
  await markRows(ctx, and(eq(kind, found.kind), eq(groupId, found.groupId), lte(id, notificationId)))
}

/** A notification that arrived at 0 is read, whatever the marker says. */
async function markRows(ctx: UserCtx, which: SQL | undefined): Promise<void> {
  const { accountId, id, arrivedAt } = notifications
  const own = eq(accountId, ctx.viewer.id)
  const unread = and(own, which, gt(arrivedAt, readAt(ctx.viewer.id)))
  const step = query.select({ id }).from(notifications).where(unread).limit(ROWS_PER_STEP)
  for (let count = 0; count < MAX_STEPS; count++) {
    const update = ctx.db.shardOf(ctx.viewer.id).update(notifications).set({ arrivedAt: 0 })
    const { meta } = await update.where(and(own, inArray(id, step)))
    if (meta.changes < ROWS_PER_STEP) return
  }
}
