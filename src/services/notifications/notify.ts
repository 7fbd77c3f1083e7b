import { and, eq, sql } from 'drizzle-orm'
import { asViewer, type SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { presence } from '../../platform/realtime/presence.ts'
import { publish } from '../../platform/realtime/realtime.ts'
import { accounts, blocks } from '../accounts/tables.ts'
import { loadPosts } from '../posts/views.ts'
import { type Kind, notifications } from './tables.ts'

type NotificationInput = { id: Id; kind: Kind; actorId: Id; postId: Id | null }

/**
 * Tells an account of an event, exactly once however often the event comes: the row is keyed on the event's id, and so is
 * the frame on its sockets; a like or a follow moreover on who did it to what. Nobody is told of what they did themselves, may
 * not see, or did to someone they have blocked.
 */
export async function notify(
  ctx: SystemCtx,
  accountId: Id,
  { id, kind, actorId, postId }: NotificationInput,
): Promise<void> {
  if (accountId === actorId) return
  const post = postId && (await loadPosts(asViewer(ctx, accountId), [postId])).get(postId)
  if (postId !== null && !post) return
  const rootId = post?.rootId ?? null
  const mine = Number(accountId)
  const db = ctx.db.shardOf(accountId)
  await db
    .insert(notifications)
    .select(
      sql`select ${mine}, ${Number(id)}, ${kind}, ${Number(actorId)}, ${postId && Number(postId)}, ${rootId && Number(rootId)},
        max(${ctx.now()}, ${accounts.notificationsReadAt} + 1)
        from ${accounts} where ${accounts.id} = ${mine} and not exists
          (select 1 from ${blocks} where ${blocks.accountId} = ${mine} and ${blocks.otherId} = ${Number(actorId)})`,
    )
    .onConflictDoNothing()
  // The hub of somebody who is away is left asleep: who comes back reads the list.
  const [online] = await db
    .select({ id: presence.accountId })
    .from(notifications)
    .innerJoin(presence, eq(presence.accountId, notifications.accountId))
    .where(and(eq(notifications.accountId, accountId), eq(notifications.id, id)))
  if (!online) return
  await publish(ctx, accountId, {
    channel: 'notifications',
    key: `notification:${id}`,
    event: 'notification',
    data: { id, kind },
  })
}
