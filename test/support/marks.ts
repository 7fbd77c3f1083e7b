import { env } from 'cloudflare:workers'
import { sqliteTable } from 'drizzle-orm/sqlite-core'
import { id } from '../../src/platform/data/ids.ts'

/** A table of the tests, on both shards. */
export const marks = sqliteTable('marks', { accountId: id('account_id').primaryKey() })

const create = 'CREATE TABLE IF NOT EXISTS marks (account_id INTEGER PRIMARY KEY)'
await Promise.all([env.SHARD_0, env.SHARD_1].map((shard) => shard.exec(create)))
