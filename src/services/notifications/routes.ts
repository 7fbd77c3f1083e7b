import { PageQuery } from '../../platform/data/page.ts'
import { route, routes } from '../../platform/http/route.ts'
import { countUnread, listNotifications, markRead, NotificationPage, UnreadCount } from './notifications.ts'

export const notificationRoutes = routes()
  .openapi(
    route({
      id: 'listNotifications',
      method: 'get',
      path: '/notifications',
      access: 'user',
      scope: 'notifications:read',
      query: PageQuery,
      returns: NotificationPage,
      summary: 'What happened to the viewer, newest first',
    }),
    async (c) => c.json(await listNotifications(c.var.ctx, c.req.valid('query')), 200),
  )
  .openapi(
    route({
      id: 'countUnreadNotifications',
      method: 'get',
      path: '/notifications/unread-count',
      access: 'user',
      scope: 'notifications:read',
      returns: UnreadCount,
      summary: 'How many notifications are unread, up to 100',
    }),
    async (c) => c.json(await countUnread(c.var.ctx), 200),
  )
  .openapi(
    route({
      id: 'markNotificationsRead',
      method: 'put',
      path: '/notifications/read',
      access: 'user',
      scope: 'notifications:write',
      returns: null,
      status: 204,
      summary: 'Mark everything that has arrived until now as read',
    }),
    async (c) => {
      await markRead(c.var.ctx)
      return c.body(null, 204)
    },
  )
