import { integer, sqliteTable } from 'drizzle-orm/sqlite-core'
import { id } from '../../platform/data/ids.ts'

/** In the directory. A login cancels the deletion until `startedAt` is set; the row is deleted after the erasure. */
export const deletions = sqliteTable('deletions', {
  accountId: id('account_id').primaryKey(),
  requestedAt: integer('requested_at').notNull(),
  eraseAt: integer('erase_at').notNull(),
  startedAt: integer('started_at'),
  /** When the last step of the erasure ended. If that is long ago, a job restarts the Workflow. */
  progressedAt: integer('progressed_at').notNull().default(0),
})

/** In the directory and on each shard: a copy of the ledger. It shows whether a database was restored (ledger.ts). */
export const erasedAccounts = sqliteTable('erased_accounts', {
  accountId: id('account_id').primaryKey(),
  erasedAt: integer('erased_at').notNull(),
})
