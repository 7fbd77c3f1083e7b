import { z } from '@hono/zod-openapi'
import { Id } from '../../platform/data/ids.ts'
import { pageOf } from '../../platform/data/page.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { AccountSummary } from '../accounts/views.ts'
import { folders, groupEvents, kinds, messageKinds, states } from './tables.ts'

const ID_LENGTH = 32
const MAX_TIME = 40
export const ConversationId = z
  .string()
  .regex(/^[0-9a-f]{32}$/)
  .openapi({ maxLength: ID_LENGTH, example: '5f0c3b7a9d1e4f2680b4c6d8e0f1a2b3' })
export const ConversationPath = z.object({ conversationId: ConversationId })
export const ConversationState = openEnum(
  'ConversationState',
  states,
  'In which folder the conversation is; in none if you have `left` it',
)
export const ConversationFolder = openEnum('ConversationFolder', folders, 'The lists of conversations')
const ConversationKind = openEnum('ConversationKind', kinds, 'With one account, or a group')
export const GroupEventName = openEnum('GroupEventName', groupEvents, 'What happened in a group')

export const MessageKind = openEnum(
  'MessageKind',
  messageKinds,
  'What a message is: `deleted` by its author for everybody, or of the `system`',
)

export const revision = z.int().openapi({
  format: 'int64',
  description: 'Greater after each change of a message; send it as `since` to `readMessageLog`',
})

const LastMessage = z
  .object({
    seq: z.int(),
    kind: MessageKind,
    event: z.union([GroupEventName, z.null()]).openapi({ description: 'Of a message of the system' }),
    authorId: Id.nullable(),
    preview: z.string().nullable().openapi({
      description: 'Its first 100 characters; null if it was deleted, or its author erased or hidden from you',
    }),
    createdAt: z.iso.datetime(),
  })
  .openapi('LastMessage', { example: { seq: 7, authorId: '1970324836990977', preview: 'Dear @grace, see you' } })

export const Conversation = z
  .object({
    id: ConversationId,
    kind: ConversationKind,
    name: z.string().nullable().openapi({ description: 'Of a group' }),
    memberCount: z.int().openapi({ description: 'How many have joined; 0 if you have left it' }),
    account: z.union([AccountSummary, z.null()]).openapi({
      description: 'The other account of a pair; null if it was erased, or is hidden from you',
    }),
    state: ConversationState,
    ended: z.boolean().openapi({ description: 'Nobody can send, or the other account is hidden from you' }),
    unread: z.int().openapi({ description: 'Messages after the last one that you read or sent' }),
    readSeq: z.int(),
    isMuted: z.boolean().openapi({ description: 'Its messages do not count as unread in all together' }),
    mutedUntil: z.iso.datetime().nullable().openapi({ description: 'Null if it is not muted, or for ever' }),
    revision,
    lastMessage: z
      .union([LastMessage, z.null()])
      .openapi({ description: 'Null before the first message, and if you have deleted all' }),
  })
  .openapi('Conversation', {
    example: {
      account: { id: '1970324836990977', handle: 'grace', displayName: 'Grace Hopper', avatarUrl: null },
      kind: 'pair',
      name: null,
      memberCount: 2,
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
export const ReadMark = z
  .strictObject({ seq: z.int().min(0).openapi({ description: 'The last message that was read' }) })
  .openapi('ReadMark')

export const Muting = z
  .strictObject({
    until: z.iso
      .datetime({ offset: true })
      .openapi({ maxLength: MAX_TIME, description: 'For ever: 9999-12-31T00:00:00Z' }),
  })
  .openapi('Muting')

const Mark = z
  .object({ accountId: Id, deliveredSeq: z.int(), readSeq: z.int() })
  .openapi('MemberMark', { example: { accountId: '1970324836990977', deliveredSeq: 7, readSeq: 5 } })
export const Marks = z.object({ items: z.array(Mark) }).openapi('Marks')

export const MessageSettings = z
  .strictObject({
    sharesMarks: z.boolean().openapi({
      description:
        'Whether others learn what you have received and read, and that you are typing, and you learn it of them',
    }),
  })
  .openapi('MessageSettings', { example: { sharesMarks: true } })
