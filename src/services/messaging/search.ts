import { z } from '@hono/zod-openapi'
import type { UserCtx } from '../../platform/context.ts'
import { DEFAULT_LIMIT, MAX_LIMIT } from '../../platform/data/page.ts'
import { queryInteger } from '../../platform/data/query-integer.ts'
import { invalid } from '../../platform/failures.ts'
import { search } from './conversation.client.ts'
import { viewsOf } from './message-presentation.ts'
import type { FoundMessages } from './message-views.ts'
import type { Place } from './messages.ts'
import { termsOf } from './search-terms.ts'

const MAX_QUERY = 100

export const MessageSearch = z.strictObject({
  q: z
    .string()
    .max(MAX_QUERY)
    .openapi({ description: 'Finds texts with all of these words, also inside of words', example: 'noon' }),
  before: queryInteger({ min: 1, max: 999_999_999 })
    .optional()
    .openapi({ description: 'The `next` of the last answer; the newest message by default' }),
  limit: queryInteger({ min: 1, max: MAX_LIMIT }).default(DEFAULT_LIMIT).openapi({ default: DEFAULT_LIMIT }),
})

/** The answer may be empty although more follows, because a call decrypts a bounded number of messages. */
export async function searchMessages(
  ctx: UserCtx,
  { conversationId, q, before, limit }: Place & z.infer<typeof MessageSearch>,
): Promise<z.infer<typeof FoundMessages>> {
  const terms = termsOf(q)
  if (terms.length === 0) throw invalid('q', 'is empty')
  const searching = { accountId: ctx.viewer.id, terms, before: before ?? null, limit }
  const { messages, next } = await search(ctx, conversationId, searching)
  const views = await viewsOf(ctx, conversationId, messages)
  return { items: views.filter(({ text }) => text !== null), next }
}
