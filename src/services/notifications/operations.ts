import { PageQuery } from '../../platform/data/page.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { countUnread, listNotifications, markRead, NotificationPage, UnreadCount } from './notifications.ts'
import { readNotifications, writeNotifications } from './policy.ts'

export const notificationOperations = [
  operation({
    id: 'listNotifications',
    method: 'get',
    path: '/notifications',
    access: 'user',
    scope: readNotifications,
    query: PageQuery,
    returns: NotificationPage,
    summary: 'List your notifications, newest first',
    run: listNotifications,
  }),
  operation({
    id: 'countUnreadNotifications',
    method: 'get',
    path: '/notifications/unread-count',
    access: 'user',
    scope: readNotifications,
    returns: UnreadCount,
    summary: 'Count your unread notifications, up to 100',
    run: countUnread,
  }),
  operation({
    id: 'markNotificationsRead',
    method: 'put',
    path: '/notifications/read',
    access: 'user',
    scope: writeNotifications,
    returns: null,
    summary: 'Mark all of your notifications as read',
    run: markRead,
  }),
] satisfies Operation[]
