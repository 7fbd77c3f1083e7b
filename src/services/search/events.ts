import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent } from '../../platform/events/events.ts'

/** A step of indexing all posts of an account again, after it was hidden, shown or renamed. */
export const postsToIndex = defineEvent(
  'search.posts-to-index',
  z.object({ accountId: Id, lane: z.int(), after: Id.nullable() }),
)
