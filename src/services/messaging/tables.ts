import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { boolean, instant } from '../../platform/data/columns.ts'
import { id } from '../../platform/data/ids.ts'

/** `request`: the account has not accepted the conversation yet, and `declined`: it never will. */
export const folders = ['active', 'request', 'declined'] as const
/** `left`: it is no member any more. The row leads its export and erasure to the conversation. */
export const states = [...folders, 'left'] as const
export type State = (typeof states)[number]

/** `deleted`: by its author, for everybody; `system`: what happened in a group. */
export const messageKinds = ['text', 'deleted', 'system'] as const
export type MessageKind = (typeof messageKinds)[number]

export const kinds = ['pair', 'group'] as const
export type Kind = (typeof kinds)[number]
/** What happened in a group. */
export const groupEvents = [
  'created',
  'invited',
  'joined',
  'left',
  'removed',
  'renamed',
  'promoted',
  'demoted',
  'handed_over',
  'locked',
  'unlocked',
  'history_shown',
  'history_hidden',
] as const
export type GroupEvent = (typeof groupEvents)[number]

/** What the inbox of an account shows, copied from the `Conversation` objects. No text is readable here. */
export const conversations = sqliteTable(
  'conversations',
  {
    accountId: id('account_id').notNull(),
    conversationId: text('conversation_id').notNull(),
    kind: text('kind', { enum: kinds }).notNull().default('pair'),
    /** Of a group, sealed with the key of the account. */
    name: text('name'),
    memberCount: integer('member_count').notNull().default(2),
    /** Null in a group, and after the erasure of the other account. */
    otherId: id('other_id'),
    state: text('state', { enum: states }).notNull(),
    /** Nobody can send, because one of the two blocks the other. */
    ended: boolean('ended').notNull(),
    /** Increases with every new message or change of `state`; null before the first message. */
    position: id('position'),
    /** Like `position`, but of every change of the row. */
    changed: id('changed'),
    lastSeq: integer('last_seq').notNull(),
    /** The last message that the account sees, which the next four columns describe; 0 for none. */
    shownSeq: integer('shown_seq').notNull(),
    shownKind: text('shown_kind', { enum: messageKinds }).notNull(),
    lastAt: instant('last_at').notNull(),
    lastAuthorId: id('last_author_id'),
    /** If the last message is one of the system. */
    lastEvent: text('last_event', { enum: groupEvents }),
    /** The beginning of the last message, sealed with the key of the account. */
    preview: text('preview'),
    readSeq: integer('read_seq').notNull(),
    unread: integer('unread').notNull(),
    /** Increases with every change of a message that the account sees. */
    revision: integer('revision').notNull(),
    /** Of the object: an older copy that arrives late changes nothing. */
    version: integer('version').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.accountId, t.conversationId] }),
    index('conversations_by_position').on(t.accountId, t.state, t.position),
    index('conversations_by_change').on(t.accountId, t.changed),
  ],
)
