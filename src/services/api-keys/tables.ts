import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { id } from '../../platform/data/ids.ts'

/** `hash` is the SHA-256 of the key. `scopes` are separated by spaces. */
export const apiKeys = sqliteTable('api_keys', {
  id: id('id').primaryKey(),
  accountId: id('account_id').notNull(),
  hash: text('hash').notNull().unique(),
  name: text('name').notNull(),
  scopes: text('scopes').notNull(),
  createdAt: integer('created_at').notNull(),
  expiresAt: integer('expires_at').notNull(),
})
