import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { id } from '../../platform/data/ids.ts'

export const webhookEvents = [
  'post.published',
  'post.edited',
  'post.deleted',
  'post.liked',
  'post.commented',
  'post.mentioned',
  'account.followed',
] as const
export type WebhookEventType = (typeof webhookEvents)[number]
export const messageTypes = [...webhookEvents, 'webhook.test'] as const
export type MessageType = (typeof messageTypes)[number]

export const states = ['active', 'paused', 'failing', 'gone'] as const
export const deliveryStates = ['waiting', 'delivered', 'failed', 'dropped'] as const
export type DeliveryState = (typeof deliveryStates)[number]

/** On the shard of the owner. The address and the secrets are sealed with the key of the account; former ones sign `until` then (epoch ms). */
export const webhookEndpoints = sqliteTable(
  'webhook_endpoints',
  {
    accountId: id('account_id').notNull(),
    id: id('id').notNull(),
    url: text('url').notNull(),
    urlIndex: text('url_index').notNull(),
    description: text('description').notNull(),
    events: text('events', { mode: 'json' }).$type<WebhookEventType[]>().notNull(),
    state: text('state', { enum: states }).notNull(),
    sealedSecret: text('sealed_secret').notNull(),
    formerSecrets: text('former_secrets', { mode: 'json' }).$type<{ sealed: string; until: number }[]>().notNull(),
    createdAt: integer('created_at').notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.id] })],
)
