import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineChannel } from '../../platform/realtime/channels.ts'
import { followeesOf } from '../accounts/queries.ts'
import { readPosts } from '../posts/policy.ts'

export const homeChannel = defineChannel('home', {
  frames: {
    'post.published': z.object({ postId: Id, authorId: Id }).describe('A new post in the home feed'),
  },
  scope: readPosts,
  mayJoin: async () => true,
  authorsOf: followeesOf,
})
