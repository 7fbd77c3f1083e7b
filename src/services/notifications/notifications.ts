import { z } from '@hono/zod-openapi'
import { and, eq, gt, lt, not, sql } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { query as builder, flag } from '../../platform/data/conditions.ts'
import { Id, isoTimeOf } from '../../platform/data/ids.ts'
import { loadPage, type Page, type PageQuery, pageOf, preparedSeek, type Seek, seek } from '../../platform/data/page.ts'
import { prepared } from '../../platform/data/prepared.ts'
import { blockBetween } from '../accounts/policy.ts'
import { AccountSummary, loadAccountSummaries } from '../accounts/views.ts'
import { loadPosts, Post } from '../posts/views.ts'
import { NotificationKind } from './kinds.ts'
import { readAt } from './queries.ts'
import { type Kind, notificationMarkers, notifications } from './tables.ts'

export const Notification = z
  .object({
    id: Id,
    kind: NotificationKind,
    actor: AccountSummary,
    post: Post.nullable(),
    createdAt: z.iso.datetime(),
    unread: z.boolean(),
  })
  .openapi('Notification', {
    example: {
      id: '1970324937974593',
      kind: 'like',
      actor: { id: '1970324836990977', handle: 'grace', displayName: 'Grace Hopper', avatarUrl: null },
      unread: true,
    },
  })
export type Notification = z.infer<typeof Notification>
export const NotificationPage = pageOf('Notification', Notification)
export const UnreadCount = z.object({ count: z.int().max(100) }).openapi('UnreadCount', { example: { count: 3 } })

const COUNTED = 100

type Row = { id: Id; kind: Kind; actorId: Id; postId: Id | null; rootId: Id | null; unread: boolean }

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

async function present(ctx: UserCtx, rows: readonly Row[]): Promise<Map<Id, Notification>> {
  // With the roots, `loadPosts` needs one round of queries. The actor of a comment or mention is the post's author.
  const postIds = rows.flatMap(({ postId, rootId }) => [postId, rootId].filter((id) => id !== null))
  const others = rows.filter((row) => row.kind === 'follow' || row.kind === 'like')
  const [posts, actors] = await Promise.all([
    loadPosts(ctx, postIds),
    loadAccountSummaries(
      ctx,
      others.map((row) => row.actorId),
    ),
  ])
  const views = rows.flatMap(({ id, kind, actorId, postId, unread }): Notification[] => {
    const post = postId === null ? null : posts.get(postId)
    const actor = post?.author.id === actorId ? post.author : actors.get(actorId)
    return actor && post !== undefined ? [{ id, kind, actor, post, createdAt: isoTimeOf(id), unread }] : []
  })
  return new Map(views.map((notification) => [notification.id, notification]))
}

export async function listNotifications(ctx: UserCtx, query: PageQuery): Promise<Page<Notification>> {
  const from = await seekOwn(ctx, query)
  return loadPage(ctx, from, await selectRows(ctx, from), (kept) => present(ctx, kept))
}

export async function countUnread(ctx: UserCtx): Promise<z.infer<typeof UnreadCount>> {
  const last = (await selectRows(ctx, await seekOwn(ctx, { limit: COUNTED }))).slice(0, COUNTED)
  const unread = last.filter((row) => row.unread)
  return { count: (await present(ctx, unread)).size }
}

export async function markRead(ctx: UserCtx): Promise<void> {
  const marker = { accountId: ctx.viewer.id, readAt: ctx.now() }
  const isLater = lt(notificationMarkers.readAt, marker.readAt)
  await ctx.db
    .shardOf(ctx.viewer.id)
    .insert(notificationMarkers)
    .values(marker)
    .onConflictDoUpdate({ target: notificationMarkers.accountId, set: marker, setWhere: isLater })
}
