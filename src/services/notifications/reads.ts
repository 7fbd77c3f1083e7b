import { and, between, desc, eq, gt, inArray, lt, lte, type SQL } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { query } from '../../platform/data/conditions.ts'
import { type Id, timeOf } from '../../platform/data/ids.ts'
import { readAt } from './queries.ts'
import { notificationMarkers, notifications } from './tables.ts'
import { MAX_COUNTED } from './views.ts'

type Target = { notificationId: Id }

const { accountId, arrivedAt, groupId, id, kind } = notifications

export async function markRead(ctx: UserCtx): Promise<void> {
  await moveMarker(ctx, ctx.now())
}

export async function markReadUpTo(ctx: UserCtx, { notificationId }: Target): Promise<void> {
  const time = await arrivalOf(ctx, notificationId)
  if (time !== null) await moveMarker(ctx, time)
}

async function moveMarker(ctx: UserCtx, time: number): Promise<void> {
  const marker = { accountId: ctx.viewer.id, readAt: time }
  await ctx.db
    .shardOf(ctx.viewer.id)
    .insert(notificationMarkers)
    .values(marker)
    .onConflictDoUpdate({
      target: notificationMarkers.accountId,
      set: marker,
      setWhere: lt(notificationMarkers.readAt, marker.readAt),
    })
}

async function arrivalOf(ctx: UserCtx, notificationId: Id): Promise<number | null> {
  const own = and(eq(accountId, ctx.viewer.id), eq(id, notificationId))
  const [row] = await ctx.db.shardOf(ctx.viewer.id).select({ arrivedAt }).from(notifications).where(own)
  return row ? row.arrivedAt || timeOf(notificationId) : null
}

export async function markOneRead(ctx: UserCtx, { notificationId }: Target): Promise<void> {
  await markRows(ctx, eq(id, notificationId))
}

/** What was added to the group since `notificationId` stays unread. Marks as many as the list of groups looks at. */
export async function markGroupRead(ctx: UserCtx, { notificationId }: Target): Promise<void> {
  const own = eq(accountId, ctx.viewer.id)
  const named = and(own, eq(id, notificationId))
  const [found] = await ctx.db.shardOf(ctx.viewer.id).select({ kind, groupId }).from(notifications).where(named)
  if (!found?.groupId) return markOneRead(ctx, { notificationId })
  const inGroup = and(
    own,
    eq(kind, found.kind),
    between(groupId, found.groupId, found.groupId),
    lte(id, notificationId),
  )
  const newest = query
    .select({ id })
    .from(notifications)
    .where(and(inGroup, gt(arrivedAt, readAt(ctx.viewer.id))))
    .orderBy(desc(groupId), desc(id))
    .limit(MAX_COUNTED)
  await markRows(ctx, inArray(id, newest))
}

/** A notification that arrived at 0 is read, whatever the marker says. */
async function markRows(ctx: UserCtx, which: SQL): Promise<void> {
  const unread = and(eq(accountId, ctx.viewer.id), which, gt(arrivedAt, readAt(ctx.viewer.id)))
  await ctx.db.shardOf(ctx.viewer.id).update(notifications).set({ arrivedAt: 0 }).where(unread)
}
