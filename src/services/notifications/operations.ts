import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { PageQuery } from '../../platform/data/page.ts'
import { type Operation, operation } from '../../platform/http/operation.ts'
import { AccountPage } from '../accounts/views.ts'
import { listGroupActors, listNotificationGroups } from './groups.ts'
import { NotificationKind } from './kinds.ts'
import { countUnread, listNotifications } from './notifications.ts'
import { readNotifications, writeNotifications } from './policy.ts'
import { markGroupRead, markOneRead, markRead, markReadUpTo } from './reads.ts'
import { NotificationGroupPage, NotificationPage, UnreadCount } from './views.ts'

const NotificationPath = z.object({ notificationId: Id })

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
    id: 'listNotificationGroups',
    method: 'get',
    path: '/notifications/groups',
    access: 'user',
    scope: readNotifications,
    query: PageQuery.extend({ kind: NotificationKind.optional() }),
    returns: NotificationGroupPage,
    summary: 'List your notifications in groups, newest first',
    description:
      'The likes of a post are one entry, and so are the follows of a day (UTC). An entry is listed by its newest notification, and counts the accounts that you may see.',
    run: listNotificationGroups,
  }),
  operation({
    id: 'listNotificationActors',
    method: 'get',
    path: '/notifications/{notificationId}/actors',
    access: 'user',
    scope: readNotifications,
    params: NotificationPath,
    query: PageQuery,
    returns: AccountPage,
    summary: 'List the accounts in the group of a notification, those who acted last first',
    run: listGroupActors,
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
  operation({
    id: 'markNotificationsReadUpTo',
    method: 'put',
    path: '/notifications/up-to/{notificationId}/read',
    access: 'user',
    scope: writeNotifications,
    params: NotificationPath,
    returns: null,
    summary: 'Mark those of your notifications as read that had arrived when this one arrived',
    run: markReadUpTo,
  }),
  operation({
    id: 'markNotificationRead',
    method: 'put',
    path: '/notifications/{notificationId}/read',
    access: 'user',
    scope: writeNotifications,
    params: NotificationPath,
    returns: null,
    summary: 'Mark a notification as read',
    run: markOneRead,
  }),
  operation({
    id: 'markNotificationGroupRead',
    method: 'put',
    path: '/notifications/groups/{notificationId}/read',
    access: 'user',
    scope: writeNotifications,
    params: NotificationPath,
    returns: null,
    summary: 'Mark a notification as read, and the thousand older ones of its group',
    run: markGroupRead,
  }),
] satisfies Operation[]
