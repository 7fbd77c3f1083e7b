import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { pageOf } from '../../platform/data/page.ts'
import { describeBounds } from '../../platform/data/text.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { AccountSummary } from '../accounts/views.ts'
import { states } from './tables.ts'

export const textBounds = { characters: 2_000, bytes: 40_000 }
const MAX_CLIENT_ID = 64

const ID_LENGTH = 32
const MAX_MESSAGE_ID = 42
export const ConversationId = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .openapi({ maxLength: ID_LENGTH, example: '5f0c3b7a9d1e4f2680b4c6d8e0f1a2b3' })
export const MessageId = z
  .string()
  .regex(/^[0-9a-f]{32}\.[1-9]\d{0,8}$/)
  .openapi({
    maxLength: MAX_MESSAGE_ID,
    description: 'The id of the conversation, a period, and `seq`',
    example: '5f0c3b7a9d1e4f2680b4c6d8e0f1a2b3.7',
  })
export const ConversationState = openEnum('ConversationState', states, 'In which folder the conversation is')

const span = {
  start: z.int().openapi({ description: 'The first code point, counted from 0' }),
  end: z.int().openapi({ description: 'The code point after the last one' }),
}
const MessageEntity = z
  .discriminatedUnion('kind', [
    z
      .object({ kind: z.literal('mention'), ...span, handle: z.string() })
      .openapi('MessageMention', { example: { start: 6, end: 12, handle: 'grace' } }),
    z
      .object({ kind: z.literal('hashtag'), ...span, tag: z.string() })
      .openapi('MessageHashtag', { example: { start: 14, end: 22, tag: 'engines' } }),
    z
      .object({ kind: z.literal('link'), ...span, url: z.string() })
      .openapi('MessageLink', { example: { start: 31, end: 56, url: 'https://example.org/notes' } }),
  ])
  .openapi('MessageEntity', {
    description: 'A part of the text of a message. Offsets count Unicode code points. Nobody is told of a mention.',
  })

const clientId = z
  .string()
  .regex(/^[\w-]{8,64}$/)
  .openapi({
    maxLength: MAX_CLIENT_ID,
    description: 'Chosen by the client, such as a UUID. Sending with the same one again returns the first message',
    example: 'c0a80101-7d3f-4b52-9d3c-0f1e2d3c4b5a',
  })

export const Message = z
  .object({
    id: MessageId,
    conversationId: ConversationId,
    seq: z.int().openapi({ description: 'Counts the messages of the conversation from 1, without gaps' }),
    authorId: Id.nullable().openapi({ description: 'Null after the erasure of the account' }),
    clientId: clientId.nullable().openapi({ description: 'Null for messages of others' }),
    text: z.string().nullable().openapi({ description: 'Null after the erasure of its author' }),
    entities: z.array(MessageEntity),
    createdAt: z.iso.datetime(),
  })
  .openapi('Message', { example: { seq: 7, authorId: '1970324836990977', text: 'Dear @grace, see you at noon' } })
export type Message = z.infer<typeof Message>
export const MessagePage = pageOf('Message', Message)

const LastMessage = z
  .object({
    seq: z.int(),
    authorId: Id.nullable(),
    preview: z.string().nullable().openapi({ description: 'Its first 100 characters; null after an erasure' }),
    createdAt: z.iso.datetime(),
  })
  .openapi('LastMessage', { example: { seq: 7, authorId: '1970324836990977', preview: 'Dear @grace, see you' } })

export const Conversation = z
  .object({
    id: ConversationId,
    account: z.union([AccountSummary, z.null()]).openapi({
      description: 'The other account; null if it was erased, or is hidden from you',
    }),
    state: ConversationState,
    ended: z.boolean().openapi({ description: 'Nobody can send: one of the two blocks the other, or was erased' }),
    unread: z.int().openapi({ description: 'Messages after the last one that you read or sent' }),
    readSeq: z.int(),
    lastMessage: z.union([LastMessage, z.null()]).openapi({ description: 'Null before the first message' }),
  })
  .openapi('Conversation', {
    example: {
      account: { id: '1970324836990977', handle: 'grace', displayName: 'Grace Hopper', avatarUrl: null },
      unread: 2,
      readSeq: 5,
    },
  })
export type Conversation = z.infer<typeof Conversation>
export const ConversationPage = pageOf('Conversation', Conversation)

export const ConversationLog = z
  .object({
    items: z.array(Conversation),
    position: Id.nullable().openapi({ description: 'Send it as `since` next time; null while there is nothing' }),
    hasMore: z.boolean(),
  })
  .openapi('ConversationLog')

export const UnreadMessages = z
  .object({ messages: z.int(), conversations: z.int(), requests: z.int() })
  .openapi('UnreadMessages', { example: { messages: 3, conversations: 2, requests: 1 } })

export const ConversationOpening = z.strictObject({ accountId: Id }).openapi('ConversationOpening')
export const MessageSending = z
  .strictObject({ clientId, text: z.string().openapi(describeBounds(textBounds)) })
  .openapi('MessageSending')
export const ReadMark = z
  .strictObject({ seq: z.int().min(0).openapi({ description: 'The last message that was read' }) })
  .openapi('ReadMark')
