import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { pageOf } from '../../platform/data/page.ts'
import { describeBounds } from '../../platform/data/text.ts'
import { AccountSummary } from '../accounts/views.ts'
import { MediaView } from '../media/views.ts'
import { GroupEvent } from './group-views.ts'
import { ConversationId, MessageKind, revision } from './views.ts'

export const textBounds = { characters: 2_000, bytes: 40_000 }
const MAX_CLIENT_ID = 64
const MAX_IMAGES = 4
const MAX_MESSAGE_ID = 42

export const MessageId = z
  .string()
  .regex(/^[0-9a-f]{32}\.[1-9]\d{0,8}$/)
  .openapi({
    maxLength: MAX_MESSAGE_ID,
    description: 'The id of the conversation, a period, and `seq`',
    example: '5f0c3b7a9d1e4f2680b4c6d8e0f1a2b3.7',
  })

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

const MessageQuote = z
  .object({ seq: z.int(), authorId: Id.nullable(), text: z.string().nullable() })
  .openapi('MessageQuote', { example: { seq: 5, authorId: '1970324836990977', text: 'When do we meet?' } })
const MessageReaction = z
  .object({
    emoji: z.string(),
    count: z.int(),
    isOwn: z.boolean().openapi({ description: 'Whether you are one of them' }),
  })
  .openapi('MessageReaction', { example: { emoji: '👍', count: 2, isOwn: true } })

export const Message = z
  .object({
    id: MessageId,
    conversationId: ConversationId,
    kind: MessageKind,
    seq: z.int().openapi({
      description:
        'Counts the messages of the conversation from 1, without gaps; those that you have deleted for yourself are missing',
    }),
    authorId: Id.nullable().openapi({ description: 'Null if the account was erased, or is hidden from you' }),
    clientId: clientId.nullable().openapi({ description: 'Null for messages of others' }),
    text: z
      .string()
      .nullable()
      .openapi({ description: 'Null if it was deleted, or its author erased or hidden from you' }),
    entities: z.array(MessageEntity),
    media: z.array(MediaView),
    replyTo: z.union([MessageQuote, z.null()]).openapi({
      description: 'The message that it answers; without author and text if that one is deleted, or hidden from you',
    }),
    reactions: z.array(MessageReaction).openapi({ description: 'The kind that came first is first' }),
    isPinned: z.boolean(),
    event: z.union([GroupEvent, z.null()]).openapi({ description: 'Of a message of the system, which has no author' }),
    createdAt: z.iso.datetime(),
    editedAt: z.iso.datetime().nullable(),
    revision,
  })
  .openapi('Message', { example: { seq: 7, authorId: '1970324836990977', text: 'Dear @grace, see you at noon' } })
export type Message = z.infer<typeof Message>
export const MessagePage = pageOf('Message', Message)

const MessageVersion = z
  .object({ text: z.string().nullable(), entities: z.array(MessageEntity), createdAt: z.iso.datetime() })
  .openapi('MessageVersion', { example: { text: 'Dear @grace, see you at one' } })
export const MessageEdits = z
  .object({ items: z.array(MessageVersion).openapi({ description: 'Oldest first, without the text that it has now' }) })
  .openapi('MessageEdits')

const ReactionOfAccount = z
  .object({ account: AccountSummary, emoji: z.string(), createdAt: z.iso.datetime() })
  .openapi('ReactionOfAccount', { example: { emoji: '👍' } })
export const Reactions = z.object({ items: z.array(ReactionOfAccount) }).openapi('Reactions')
export const PinnedMessages = z.object({ items: z.array(Message) }).openapi('PinnedMessages')

export const FoundMessages = z
  .object({
    items: z.array(Message),
    next: z
      .int()
      .nullable()
      .openapi({ description: 'Send it as `before` to go on; null if all messages were searched' }),
  })
  .openapi('FoundMessages', { example: { next: null } })

export const MessageLog = z
  .object({
    items: z.array(Message),
    hidden: z
      .array(z.int())
      .openapi({ description: 'The `seq` of messages that you have deleted for yourself', example: [3] }),
    revision: z.int().openapi({ format: 'int64', description: 'Send it as `since` next time' }),
    hasMore: z.boolean(),
  })
  .openapi('MessageLog')

export const MessageSending = z
  .strictObject({
    clientId,
    text: z.string().openapi(describeBounds(textBounds)),
    media: z
      .array(Id)
      .max(MAX_IMAGES)
      .default([])
      .openapi({ default: [], description: 'Images that you have uploaded and not used yet', example: [] }),
    replyTo: z.int().min(1).optional().openapi({ description: 'The `seq` of a message that it answers' }),
  })
  .openapi('MessageSending')
export const MessageChange = z
  .strictObject({ text: z.string().openapi(describeBounds(textBounds)) })
  .openapi('MessageChange')
