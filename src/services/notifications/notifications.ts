import { z } from '@hono/zod-openapi'
import { and, eq, sql } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { Id, timeOf } from '../../platform/data/ids.ts'
import { loadPage, type Page, type PageQuery, pageOf, preparedSeek, type Seek, seek } from '../../platform/data/page.ts'
import { prepared } from '../../platform/data/prepared.ts'
import { accounts, blocks } from '../accounts/tables.ts'
import { AccountSummary, loadAccountSummaries } from '../accounts/views.ts'
import { loadPosts, Post } from '../posts/views.ts'
import { type Kind, kinds, notifications } from './tables.ts'

export const Notification = z
  .object({
    id: Id,
    kind: z.enum(kinds),
    actor: AccountSummary,
    post: Post.nullable(),
    createdAt: z.iso.datetime(),
    unread: z.boolean(),
  })
  .openapi('Notification')
export type Notification = z.infer<typeof Notification>
export const NotificationPage = pageOf('Notification', Notification)
export const UnreadCount = z.object({ count: z.int().max(100) }).openapi('UnreadCount')

const COUNTED = 100
const notBlocked = sql`not exists (select 1 from ${blocks} where ${blocks.accountId} = ${notifications.accountId} and ${blocks.otherId} = ${notifications.actorId})`

type Row = { id: Id; kind: Kind; actorId: Id; postId: Id | null; rootId: Id | null; unread: number }

const preparedRows = prepared((db, variant: Seek['variant']) => {
  const viewerId = sql.placeholder('viewerId')
  const from = preparedSeek(notifications.id, variant)
  const readAt = sql`(select ${accounts.notificationsReadAt} from ${accounts} where ${accounts.id} = ${viewerId})`
  return db
    .select({
      id: notifications.id,
      kind: notifications.kind,
      actorId: notifications.actorId,
      postId: notifications.postId,
      rootId: notifications.rootId,
      unread: sql<number>`${notifications.arrivedAt} > ${readAt}`.as('unread'),
    })
    .from(notifications)
    .where(and(eq(notifications.accountId, viewerId), notBlocked, from.where))
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

/** The wire shapes of rows, by id, without those whose actor or post the viewer may no longer see. */
async function showRows(ctx: UserCtx, rows: readonly Row[]): Promise<Map<Id, Notification>> {
  // With the comments their roots, which must be visible too; and whoever wrote a post comes with it.
  const postIds = rows.flatMap(({ postId, rootId }) => [postId, rootId].filter((id) => id !== null))
  const others = rows.filter((row) => row.kind === 'follow' || row.kind === 'like')
  const [posts, actors] = await Promise.all([
    loadPosts(ctx, postIds),
    loadAccountSummaries(
      ctx,
      others.map((row) => row.actorId),
    ),
  ])
  const shown = rows.flatMap(({ id, kind, actorId, postId, unread }): Notification[] => {
    const post = postId === null ? null : posts.get(postId)
    const actor = post?.author.id === actorId ? post.author : actors.get(actorId)
    if (!actor || post === undefined) return []
    return [{ id, kind, actor, post, createdAt: new Date(timeOf(id)).toISOString(), unread: Boolean(unread) }]
  })
  return new Map(shown.map((notification) => [notification.id, notification]))
}

/** The viewer's notifications, newest first. */
export async function listNotifications(ctx: UserCtx, query: PageQuery): Promise<Page<Notification>> {
  const from = await seekOwn(ctx, query)
  return loadPage(ctx, from, await selectRows(ctx, from), (kept) => showRows(ctx, kept))
}

/** How many of the viewer's last hundred notifications came after the viewer last read them: those that the list shows. */
export async function countUnread(ctx: UserCtx): Promise<z.infer<typeof UnreadCount>> {
  const last = (await selectRows(ctx, await seekOwn(ctx, { limit: COUNTED }))).slice(0, COUNTED)
  const unread = last.filter((row) => row.unread)
  return { count: (await showRows(ctx, unread)).size }
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
