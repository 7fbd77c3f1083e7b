import { z } from '@hono/zod-openapi'
import { and, desc, eq, sql } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { Id, timeOf } from '../../platform/ids.ts'
import { type Page, type PageQuery, pageOf, seek, toPage } from '../../platform/page.ts'
import { accounts, blocks } from '../accounts/tables.ts'
import { AccountRef, loadAccountRefs } from '../accounts/views.ts'
import { loadPosts, Post } from '../posts/views.ts'
import { kinds, notifications } from './tables.ts'

export const Notification = z
  .object({
    id: Id,
    kind: z.enum(kinds),
    actor: AccountRef,
    post: Post.nullable(),
    createdAt: z.iso.datetime(),
    unread: z.boolean(),
  })
  .openapi('Notification')
export type Notification = z.infer<typeof Notification>
export const NotificationPage = pageOf('Notification', Notification)
export const UnreadCount = z.object({ count: z.int().max(100) }).openapi('UnreadCount')

const COUNTED = 100
const readAt = sql<number>`(select ${accounts.notificationsReadAt} from ${accounts} where ${accounts.id} = ${notifications.accountId})`
const notBlocked = sql`not exists (select 1 from ${blocks} where ${blocks.accountId} = ${notifications.accountId} and ${blocks.otherId} = ${notifications.actorId})`

/** The viewer's notifications, newest first, without those whose actor or post the viewer may no longer see. */
export async function listNotifications(ctx: UserCtx, query: PageQuery): Promise<Page<Notification>> {
  const from = seek(query, notifications.id)
  const rows = await ctx.db
    .shardOf(ctx.viewer.id)
    .select({
      id: notifications.id,
      kind: notifications.kind,
      actorId: notifications.actorId,
      postId: notifications.postId,
      unread: sql<number>`${notifications.arrivedAt} > ${readAt}`.as('unread'),
    })
    .from(notifications)
    .where(and(eq(notifications.accountId, ctx.viewer.id), notBlocked, from.where))
    .orderBy(from.orderBy)
    .limit(from.limit)
  const [posts, actors] = await Promise.all([
    loadPosts(
      ctx,
      rows.flatMap((row) => row.postId ?? []),
    ),
    loadAccountRefs(
      ctx,
      rows.map((row) => row.actorId),
    ),
  ])
  const show = ({ id, kind, actorId, postId, unread }: (typeof rows)[number]): Notification | undefined => {
    const actor = actors.get(actorId)
    const post = postId === null ? null : posts.get(postId)
    if (!actor || post === undefined) return undefined
    return { id, kind, actor, post, createdAt: new Date(timeOf(id)).toISOString(), unread: Boolean(unread) }
  }
  return toPage(from, rows, (row) => row.id, show)
}

/** How many of the viewer's last hundred notifications came after the viewer last read them. */
export async function countUnread(ctx: UserCtx): Promise<z.infer<typeof UnreadCount>> {
  const db = ctx.db.shardOf(ctx.viewer.id)
  const last = db
    .select({ unread: sql<number>`${notifications.arrivedAt} > ${readAt} and ${notBlocked}`.as('unread') })
    .from(notifications)
    .where(eq(notifications.accountId, ctx.viewer.id))
    .orderBy(desc(notifications.id))
    .limit(COUNTED)
    .as('last')
  const [row] = await db.select({ count: sql<number>`coalesce(sum(${last.unread}), 0)`.as('count') }).from(last)
  return { count: row!.count }
}

/** Marks everything that has arrived until now as read. */
export async function markRead(ctx: UserCtx): Promise<void> {
  const now = ctx.now()
  await ctx.db
    .shardOf(ctx.viewer.id)
    .update(accounts)
    .set({ notificationsReadAt: now })
    .where(and(eq(accounts.id, ctx.viewer.id), sql`${accounts.notificationsReadAt} < ${now}`))
}
