import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { id } from '../../platform/data/ids.ts'

/** Append-only: triggers refuse changes. */
export const auditEntries = sqliteTable('audit_entries', {
  id: id('id').primaryKey(),
  chain: integer('chain').notNull(),
  seq: integer('seq').notNull(),
  at: integer('at').notNull(),
  action: text('action').notNull(),
  accountId: id('account_id'),
  actorId: id('actor_id'),
  client: text('client'),
  detail: text('detail'),
  eventId: id('event_id').notNull(),
  previous: text('previous').notNull(),
  hash: text('hash').notNull(),
})
export type AuditRow = typeof auditEntries.$inferSelect

/** In the directory: the newest entry of each chain. */
export const auditHeads = sqliteTable('audit_heads', {
  chain: integer('chain').primaryKey(),
  seq: integer('seq').notNull(),
  hash: text('hash').notNull(),
})
export type AuditHead = typeof auditHeads.$inferSelect
