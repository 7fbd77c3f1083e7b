import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineChannel } from '../../platform/realtime/channels.ts'
import { kinds } from './tables.ts'

export const notificationChannel = defineChannel('notifications', {
  frames: {
    notification: z.object({ id: Id, kind: z.enum(kinds) }).describe('you have a new notification (`id`, `kind`)'),
  },
  mayJoin: async () => true,
})
