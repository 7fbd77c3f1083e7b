import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { defineChannel } from '../../platform/realtime/channels.ts'
import { isMember } from './conversation.client.ts'
import { readMessages } from './policy.ts'
import { ConversationId, ConversationState } from './views.ts'

const seq = z.int().openapi({ description: 'The last message' })
const revision = z.int().openapi({
  format: 'int64',
  description: 'Greater than before; read the log of the messages since the one that you know',
})

export const conversationsChannel = defineChannel('conversations', {
  frames: {
    'conversation.changed': z
      .object({ conversationId: ConversationId, seq, readSeq: z.int(), state: ConversationState, revision })
      .describe('A conversation has a new or changed message, was read, or moved to another folder'),
  },
  isTransient: true,
  scope: readMessages,
  mayJoin: async () => true,
})

export const conversationChannel = defineChannel('conversation:{id}', {
  frames: {
    'message.sent': z
      .object({ seq })
      .describe('The conversation has messages up to this one; read those that you miss'),
    'message.changed': z
      .object({ seq: z.int().openapi({ description: 'The message that was changed last' }), revision })
      .describe('Messages were edited, deleted, pinned or got reactions'),
    'member.typing': z.object({ accountId: Id }).describe('A member is writing; at most every 3 seconds'),
    'member.marked': z
      .object({ accountId: Id, deliveredSeq: z.int(), readSeq: z.int() })
      .describe(
        'Messages have arrived at a member, or were read by it. Frames may overtake each other: keep the greater number',
      ),
  },
  isTransient: true,
  scope: readMessages,
  mayJoin: async (ctx, accountId, key) => ConversationId.safeParse(key).success && isMember(ctx, key, accountId),
})
