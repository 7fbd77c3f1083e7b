import { and, asc, eq, gt, not } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { type Id, isoTimeOf } from '../../platform/data/ids.ts'
import {
  classify,
  type ExportEntry,
  iso,
  jsonFile,
  jsonList,
  type PersonalData,
  pagesOf,
} from '../../platform/personal-data.ts'
import { blockBetween } from '../accounts/policy.ts'
import { namesFor } from '../accounts/views.ts'
import { eraseNotifications } from './erasure.ts'
import { notificationMarkers, notifications, withdrawnLikes } from './tables.ts'

export const notificationData: PersonalData = {
  inventory: {
    ...classify(notifications, {
      accountId: 'owner',
      id: 'exported',
      kind: 'exported',
      actorId: 'exported',
      postId: 'exported',
      rootId: 'technical',
      groupId: 'technical',
      arrivedAt: 'technical',
    }),
    ...classify(withdrawnLikes, { accountId: 'owner', postId: 'technical' }),
    ...classify(notificationMarkers, { accountId: 'owner', readAt: 'exported' }),
  },
  exported,
  erase: eraseNotifications,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  yield jsonList('notifications.json', own(ctx, accountId))
  const [marker] = await ctx.db
    .shardOf(accountId)
    .select({ readAt: notificationMarkers.readAt })
    .from(notificationMarkers)
    .where(eq(notificationMarkers.accountId, accountId))
  if (marker) yield jsonFile('notifications-read.json', { readAt: iso(marker.readAt) })
}

async function* own(ctx: SystemCtx, accountId: Id) {
  const { id, kind, actorId, postId } = notifications
  const read = (after: Id, limit: number) =>
    ctx.db
      .shardOf(accountId)
      .select({ id, kind, actorId, postId })
      .from(notifications)
      .where(and(eq(notifications.accountId, accountId), gt(id, after), not(blockBetween(accountId, actorId))))
      .orderBy(asc(id))
      .limit(limit)
  for await (const rows of pagesOf(read)) {
    const name = await namesFor(
      ctx,
      accountId,
      rows.map((row) => row.actorId),
    )
    yield rows.map(({ actorId, ...row }) => ({ ...row, actor: name(actorId), createdAt: isoTimeOf(row.id) }))
  }
}
