import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { boolean } from '../../platform/data/columns.ts'
import { type Id, id } from '../../platform/data/ids.ts'
import type { Kind } from '../notifications/tables.ts'

export const channels = ['mail', 'push'] as const
export type Channel = (typeof channels)[number]
export const audiences = ['everyone', 'followed', 'followers', 'nobody'] as const
export type Audience = (typeof audiences)[number]
/** Whose actions notify, by kind and channel. What is absent has its default. */
export type Rules = Partial<Record<Kind, Partial<Record<'inApp' | Channel, Audience>>>>

export const notificationPreferences = sqliteTable('notification_preferences', {
  accountId: id('account_id').primaryKey(),
  rules: text('rules', { mode: 'json' }).$type<Rules>().notNull(),
  /** The rules until `changedAt` (epoch ms), for events that are older and arrive late or again. */
  previousRules: text('previous_rules', { mode: 'json' }).$type<Rules>().notNull(),
  changedAt: integer('changed_at').notNull(),
  timeZone: text('time_zone'),
  /** Minutes since midnight in the time zone; both are null without quiet hours. */
  quietFrom: integer('quiet_from'),
  quietTo: integer('quiet_to'),
  includeText: boolean('include_text').notNull(),
})

/** `eventId` is the id of the notification. A row is kept until the notification expires, so that none is delivered twice. */
export const deliveries = sqliteTable(
  'deliveries',
  {
    accountId: id('account_id').notNull(),
    eventId: id('event_id').notNull(),
    channel: text('channel', { enum: channels }).notNull(),
    state: text('state', { enum: ['due', 'sent', 'dropped', 'failed'] }).notNull(),
    /** The attempts that have failed. */
    attempt: integer('attempt').notNull(),
    nextAt: integer('next_at'),
    /** Of a push that is not over: the subscriptions that have got it. */
    reached: text('reached', { mode: 'json' }).$type<Id[]>(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.eventId, t.channel] })],
)

export const mailStates = sqliteTable('mail_states', {
  accountId: id('account_id').primaryKey(),
  /** When the last mail about notifications was sent, epoch ms. */
  mailedAt: integer('mailed_at').notNull(),
  /** The blind index of an address that accepts no mail. */
  suppressedAddress: text('suppressed_address'),
})

/** `sealed` has the endpoint and its keys; `endpointHash` is a blind index. */
export const pushSubscriptions = sqliteTable(
  'push_subscriptions',
  {
    accountId: id('account_id').notNull(),
    id: id('id').notNull(),
    endpointHash: text('endpoint_hash').notNull(),
    sealed: text('sealed').notNull(),
    device: text('device').notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.id] })],
)
