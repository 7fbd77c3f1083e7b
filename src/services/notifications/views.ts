import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../platform/context.ts'
import { Id, isoTimeOf } from '../../platform/data/ids.ts'
import { pageOf } from '../../platform/data/page.ts'
import { AccountSummary, loadAccountSummaries } from '../accounts/views.ts'
import { loadPosts, Post } from '../posts/views.ts'
import { NotificationKind } from './kinds.ts'
import type { Kind } from './tables.ts'

const fields = {
  id: Id,
  kind: NotificationKind,
  post: Post.nullable(),
  createdAt: z.iso.datetime(),
  unread: z.boolean(),
}

export const Notification = z.object({ ...fields, actor: AccountSummary }).openapi('Notification', {
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

export const MAX_COUNTED = 1_000

export const NotificationGroup = z
  .object({
    ...fields,
    id: Id.openapi({ description: 'The id of the newest notification in the group' }),
    actors: z.array(AccountSummary).openapi({ description: 'Those who acted last, newest first, at most three' }),
    actorCount: z
      .int()
      .max(MAX_COUNTED)
      .openapi({ description: `How many accounts acted, including \`actors\`; exact below ${MAX_COUNTED}` }),
    unread: z.boolean().openapi({ description: 'Whether a notification in the group is unread' }),
  })
  .openapi('NotificationGroup', {
    example: {
      id: '1970324937974593',
      kind: 'like',
      actors: [{ id: '1970324836990977', handle: 'grace', displayName: 'Grace Hopper', avatarUrl: null }],
      actorCount: 13,
      unread: true,
    },
  })
export type NotificationGroup = z.infer<typeof NotificationGroup>
export const NotificationGroupPage = pageOf('NotificationGroup', NotificationGroup)

export type Row = { id: Id; kind: Kind; actorId: Id; postId: Id | null; rootId: Id | null; unread: boolean }

/** What the viewer may see of the rows. `actorsOf` names the actors of a row, the first one of the row itself. */
export async function loadSubjects<R extends Row>(ctx: Ctx, rows: readonly R[], actorsOf: (row: R) => Id[]) {
  // With the roots, `loadPosts` needs one round of queries. The actor of a comment or mention is the post's author.
  const postIds = rows.flatMap(({ postId, rootId }) => [postId, rootId].filter((id) => id !== null))
  const others = rows.filter((row) => row.kind === 'follow' || row.kind === 'like')
  const [posts, accounts] = await Promise.all([
    loadPosts(ctx, postIds),
    loadAccountSummaries(ctx, others.flatMap(actorsOf)),
  ])
  return rows.flatMap((row) => {
    const post = row.postId === null ? null : posts.get(row.postId)
    const actors = actorsOf(row).flatMap((id) => (post?.author.id === id ? post.author : (accounts.get(id) ?? [])))
    const { id, kind, unread } = row
    return post === undefined ? [] : [{ row, actors, view: { id, kind, post, createdAt: isoTimeOf(id), unread } }]
  })
}

/** By id, without those that the viewer may not see. */
export async function loadNotifications(ctx: Ctx, rows: readonly Row[]): Promise<Map<Id, Notification>> {
  const found = await loadSubjects(ctx, rows, ({ actorId }) => [actorId])
  const views = found.flatMap(({ view, actors: [actor] }): Notification[] => (actor ? [{ ...view, actor }] : []))
  return new Map(views.map((notification) => [notification.id, notification]))
}
