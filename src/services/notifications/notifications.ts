import type { z } from '@hono/zod-openapi'
import { and, eq, gt, not, sql } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { query as builder, flag } from '../../platform/data/conditions.ts'
import { loadPage, type Page, type PageQuery, preparedSeek, type Seek, seek } from '../../platform/data/page.ts'
import { prepared } from '../../platform/data/prepared.ts'
import { blockBetween } from '../accounts/policy.ts'
import { readAt } from './queries.ts'
import { notifications } from './tables.ts'
import { loadNotifications, type Notification, type Row, type UnreadCount } from './views.ts'

const COUNTED = 100

const preparedRows = prepared((variant: Seek['variant']) => {
  const viewerId = sql.placeholder('viewerId')
  const from = preparedSeek(notifications.id, variant)
  return builder
    .select({
      id: notifications.id,
      kind: notifications.kind,
      actorId: notifications.actorId,
      postId: notifications.postId,
      rootId: notifications.rootId,
      unread: flag(gt(notifications.arrivedAt, readAt(viewerId)), 'unread'),
    })
    .from(notifications)
    .where(
      and(
        eq(notifications.accountId, viewerId),
        not(blockBetween(notifications.accountId, notifications.actorId)),
        from.where,
      ),
    )
    .orderBy(from.order(notifications.id))
    .limit(from.limit)
})

function seekOwn(ctx: UserCtx, query: PageQuery): Promise<Seek> {
  return seek(ctx, query, `notifications of ${ctx.viewer.id}`, notifications.id)
}

function selectRows(ctx: UserCtx, from: Seek): Promise<Row[]> {
  const { id } = ctx.viewer
  return preparedRows(ctx.db.shardOf(id), from.variant, { viewerId: Number(id), ...from.values })
}

export async function listNotifications(ctx: UserCtx, query: PageQuery): Promise<Page<Notification>> {
  const from = await seekOwn(ctx, query)
  return loadPage(ctx, from, await selectRows(ctx, from), (kept) => loadNotifications(ctx, kept))
}

export async function countUnread(ctx: UserCtx): Promise<z.infer<typeof UnreadCount>> {
  const last = (await selectRows(ctx, await seekOwn(ctx, { limit: COUNTED }))).slice(0, COUNTED)
  const unread = last.filter((row) => row.unread)
  return { count: (await loadNotifications(ctx, unread)).size }
}
