import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { id } from '../../platform/data/ids.ts'

export const statuses = ['preparing', 'ready', 'failed', 'expired'] as const

/** In the directory: the exports that people requested within the last week. */
export const dataExports = sqliteTable('exports', {
  id: id('id').primaryKey(),
  accountId: id('account_id').notNull(),
  status: text('status', { enum: statuses }).notNull(),
  createdAt: integer('created_at').notNull(),
  readyAt: integer('ready_at'),
  expiresAt: integer('expires_at'),
  bytes: integer('bytes'),
})
