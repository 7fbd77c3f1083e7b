import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineChannel } from '../../platform/realtime/channels.ts'
import { followeesOf } from '../accounts/queries.ts'

export const homeChannel = defineChannel('home', {
  frames: {
    'post.published': z.object({ postId: Id, authorId: Id }).describe('A new post in the home feed'),
  },
  mayJoin: async () => true,
  authorsOf: followeesOf,
})
