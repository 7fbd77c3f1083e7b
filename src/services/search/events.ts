import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineEvent, defineStep } from '../../platform/events/events.ts'
import { Act } from '../audit/events.ts'

/** After an account was hidden, shown or renamed. */
export const postsToIndex = defineStep(
  'search.posts-to-index',
  z.object({ accountId: Id, lane: z.int(), after: Id.nullable() }),
)
export const threadToUnindex = defineStep('search.thread-to-unindex', z.object({ postId: Id }))
/** `about` is what the audit log shows: of a link, its host. */
const Curated = Act.extend({ kind: z.string(), key: z.string(), about: z.string().optional() })
export const trendHidden = defineEvent('search.trend-hidden', Curated)
export const trendShown = defineEvent('search.trend-shown', Curated)
