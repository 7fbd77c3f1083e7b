import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineChannel } from '../../platform/realtime/channels.ts'
import { NotificationKind } from './kinds.ts'
import { readNotifications } from './policy.ts'

export const notificationChannel = defineChannel('notifications', {
  frames: {
    notification: z.object({ id: Id, kind: NotificationKind }).describe('A new notification'),
  },
  scope: readNotifications,
  mayJoin: async () => true,
})
