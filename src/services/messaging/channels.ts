import { z } from '@hono/zod-openapi'
import { defineChannel } from '../../platform/realtime/channels.ts'
import { isMember } from './conversation.client.ts'
import { readMessages } from './policy.ts'
import { ConversationId, ConversationState } from './views.ts'

const seq = z.int().openapi({ description: 'The last message' })

export const conversationsChannel = defineChannel('conversations', {
  frames: {
    'conversation.changed': z
      .object({ conversationId: ConversationId, seq, readSeq: z.int(), state: ConversationState })
      .describe('A conversation has a new message, was read, or moved to another folder'),
  },
  scope: readMessages,
  mayJoin: async () => true,
})

export const conversationChannel = defineChannel('conversation:{id}', {
  frames: {
    'message.sent': z
      .object({ seq })
      .describe('The conversation has messages up to this one; read those that you miss'),
  },
  scope: readMessages,
  mayJoin: (ctx, accountId, key) => isMember(ctx, key, accountId),
})
