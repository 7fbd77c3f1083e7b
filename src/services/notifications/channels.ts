import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineChannel } from '../../platform/realtime/channels.ts'
import { NotificationKind } from './kinds.ts'
import { readNotifications } from './policy.ts'

export const notificationChannel = defineChannel('notifications', {
  frames: {
    notification: z.object({ id: Id, kind: NotificationKind }).describe('A new notification'),
    'notification.withdrawn': z
      .object({ ids: z.array(Id), postId: Id.nullable() })
      .describe('Notifications that no longer exist: those with these ids, and those of likes of this post'),
  },
  scope: readNotifications,
  mayJoin: async () => true,
})
