import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { boolean } from '../../platform/data/columns.ts'
import { type Id, id } from '../../platform/data/ids.ts'
import { type Kind, kinds } from '../notifications/tables.ts'

export const channels = ['mail', 'push'] as const
export type Channel = (typeof channels)[number]
export const audiences = ['everyone', 'followed', 'followers', 'nobody'] as const
export type Audience = (typeof audiences)[number]
/** What rules are about: kinds of notifications, and messages, which have an inbox of their own. */
export type RuleKind = Kind | 'message' | 'messageRequest'
export const ruleKinds: readonly RuleKind[] = [...kinds, 'message', 'messageRequest']
export type Rules = Partial<Record<RuleKind, Partial<Record<'inApp' | Channel, Audience>>>>

/** Deliveries of a lane are sent together, those about messages apart from those about notifications. */
export const lanes = ['mail', 'push', 'messageMail', 'messagePush', 'digest'] as const
export type Lane = (typeof lanes)[number]
export const isOfMessages = (lane: Lane) => lane === 'messageMail' || lane === 'messagePush'
export const channelOf = (lane: Lane): Channel => (lane === 'push' || lane === 'messagePush' ? 'push' : 'mail')

/** The rules of an account since each of its latest changes (epoch ms): late events are decided by the rules of their time. */
export const notificationRules = sqliteTable(
  'notification_rules',
  {
    accountId: id('account_id').notNull(),
    since: integer('since').notNull(),
    rules: text('rules', { mode: 'json' }).$type<Rules>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.since] })],
)

export const notificationPreferences = sqliteTable('notification_preferences', {
  accountId: id('account_id').primaryKey(),
  timeZone: text('time_zone'),
  /** Minutes since midnight in the time zone; both are null without quiet hours. */
  quietFrom: integer('quiet_from'),
  quietTo: integer('quiet_to'),
  includeText: boolean('include_text').notNull(),
  includeMessages: boolean('include_messages').notNull(),
})

/** `eventId` is the id of the notification. A row is kept until it expires, so that none is delivered twice. */
export const deliveries = sqliteTable(
  'deliveries',
  {
    accountId: id('account_id').notNull(),
    eventId: id('event_id').notNull(),
    channel: text('channel', { enum: lanes }).notNull(),
    state: text('state', { enum: ['due', 'sent', 'dropped', 'failed'] }).notNull(),
    /** The attempts that have failed. */
    attempt: integer('attempt').notNull(),
    nextAt: integer('next_at'),
    /** Of a push that is not over: the subscriptions that have got it. */
    reached: text('reached', { mode: 'json' }).$type<Id[]>(),
    /** Of a message: the next two are of the last one to tell, and `eventId` is the position of its conversation. */
    conversationId: text('conversation_id'),
    seq: integer('seq'),
    authorId: id('author_id'),
    firstAt: integer('first_at'),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.eventId, t.channel] })],
)

export const periods = ['daily', 'weekly'] as const

/** `minutes` since midnight in the time zone. `askedAt`: when the person last asked for it. */
export const digests = sqliteTable('digests', {
  accountId: id('account_id').primaryKey(),
  every: text('every', { enum: periods }).notNull(),
  timeZone: text('time_zone').notNull(),
  minutes: integer('minutes').notNull(),
  askedAt: integer('asked_at').notNull(),
  nextAt: integer('next_at').notNull(),
})

export const deliveryTurns = sqliteTable(
  'delivery_turns',
  {
    accountId: id('account_id').notNull(),
    channel: text('channel', { enum: lanes }).notNull(),
    takenAt: integer('taken_at').notNull(),
    /** The `nextAt` of the deliveries in it; 0 if it was not sent. */
    lease: integer('lease').notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.channel] })],
)

/** `address` is the blind index of an address that refused a mail. */
export const suppressedAddresses = sqliteTable('suppressed_addresses', {
  accountId: id('account_id').primaryKey(),
  address: text('address').notNull(),
})

/** `sealed` has the endpoint and its keys; `endpointHash` is a blind index. */
export const pushSubscriptions = sqliteTable(
  'push_subscriptions',
  {
    accountId: id('account_id').notNull(),
    id: id('id').notNull(),
    /** The login that subscribed: when it ends, so does the subscription. */
    sessionId: text('session_id').notNull(),
    endpointHash: text('endpoint_hash').notNull(),
    sealed: text('sealed').notNull(),
    issuedAt: integer('issued_at').notNull(),
    device: text('device').notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.id] })],
)
