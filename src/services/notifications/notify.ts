import { and, eq, exists, not, sql } from 'drizzle-orm'
import { asViewer, type SystemCtx } from '../../platform/context.ts'
import { all, one, query, rowIf } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { publish } from '../../platform/realtime/channels.ts'
import { presence } from '../../platform/realtime/presence.ts'
import { blockBetween } from '../accounts/policy.ts'
import { accounts } from '../accounts/tables.ts'
import { visiblePosts } from '../posts/views.ts'
import { notificationChannel } from './channels.ts'
import { readAt } from './queries.ts'
import { type Kind, notifications } from './tables.ts'

type NotificationInput = { id: Id; kind: Kind; actorId: Id; postId: Id | null }

/** Notifies once per event, and once per (actor, kind, post) for likes and follows, which can be repeated. */
export async function notify(ctx: SystemCtx, accountId: Id, input: NotificationInput): Promise<void> {
  const { id, kind, actorId, postId } = input
  if (accountId === actorId) return
  const post = postId && (await visiblePosts(asViewer(ctx, accountId), [postId])).get(postId)
  if (postId !== null && !post) return
  const db = ctx.db.shardOf(accountId)
  const isThere = exists(query.select(one).from(accounts).where(eq(accounts.id, accountId)))
  // Always later than the read marker, even if this machine's clock is behind the clock that set the marker.
  const arrivedAt = sql`max(${ctx.now()}, ${readAt(accountId)} + 1)`
  const row = { ...input, accountId, rootId: post ? post.rootId : null, arrivedAt }
  await db
    .insert(notifications)
    .select(rowIf(notifications, row, all(isThere, not(blockBetween(accountId, actorId)))))
    .onConflictDoNothing()
  if (!(await isOnlineAndNotified(ctx, accountId, id))) return
  await publish(
    ctx,
    { channel: notificationChannel, accountId },
    { key: `notification:${id}`, event: 'notification', data: { id, kind } },
  )
}

/** Whether the notification exists and the account has a socket: a push to others would only wake their hubs. */
async function isOnlineAndNotified(ctx: SystemCtx, accountId: Id, id: Id): Promise<boolean> {
  const [online] = await ctx.db
    .shardOf(accountId)
    .select({ id: presence.accountId })
    .from(notifications)
    .innerJoin(presence, eq(presence.accountId, notifications.accountId))
    .where(and(eq(notifications.accountId, accountId), eq(notifications.id, id)))
  return online !== undefined
}
