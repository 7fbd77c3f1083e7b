import { and, desc, eq, exists, gt, not, type SQL } from 'drizzle-orm'
import { asViewer, type SystemCtx } from '../../platform/context.ts'
import { flag, one, query } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { blockBetween, isActive } from '../accounts/policy.ts'
import { accounts } from '../accounts/tables.ts'
import { readAt } from '../notifications/queries.ts'
import { notifications } from '../notifications/tables.ts'
import { loadNotifications, type Notification } from '../notifications/views.ts'
import { wasFollowedBy, wasFollowing } from './policy.ts'
import { audienceOf, type Settings } from './preferences.ts'
import type { Claimed } from './rows.ts'
import { channelOf } from './tables.ts'

/** What may still be delivered, newest first: unread notifications that an active account may see and that its rules allow. */
export async function readWanted(ctx: SystemCtx, claimed: Claimed, settings: Settings): Promise<Notification[]> {
  const rows = await selectUnread(ctx, claimed.accountId, idIn(notifications.id, claimed.newest), claimed.newest.length)
  const wanted = rows.filter(({ kind, followed, follower }) => {
    const audience = audienceOf(settings.rules, kind, channelOf(claimed.channel))
    return { everyone: true, followed, followers: follower, nobody: false }[audience]
  })
  const visible = await loadNotifications(asViewer(ctx, claimed.accountId), wanted)
  return wanted.flatMap(({ id }) => visible.get(id) ?? [])
}

export async function readUnread(ctx: SystemCtx, accountId: Id, which: SQL | undefined, limit: number) {
  const rows = await selectUnread(ctx, accountId, which, limit)
  const visible = await loadNotifications(asViewer(ctx, accountId), rows)
  return rows.flatMap(({ id }) => visible.get(id) ?? [])
}

function selectUnread(ctx: SystemCtx, accountId: Id, which: SQL | undefined, limit: number) {
  const { id, kind, actorId, postId, rootId, arrivedAt } = notifications
  const active = query
    .select(one)
    .from(accounts)
    .where(and(eq(accounts.id, accountId), isActive))
  return ctx.db
    .shardOf(accountId)
    .select({
      id,
      kind,
      actorId,
      postId,
      rootId,
      unread: flag(gt(arrivedAt, readAt(accountId)), 'unread'),
      followed: flag(wasFollowing(accountId, actorId, id), 'followed'),
      follower: flag(wasFollowedBy(accountId, actorId, id), 'follower'),
    })
    .from(notifications)
    .where(
      and(
        eq(notifications.accountId, accountId),
        which,
        gt(arrivedAt, readAt(accountId)),
        not(blockBetween(notifications.accountId, actorId)),
        exists(active),
      ),
    )
    .orderBy(desc(id))
    .limit(limit)
}
