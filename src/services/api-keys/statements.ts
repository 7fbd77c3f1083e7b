import { and, eq, lte, type SQL } from 'drizzle-orm'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { apiKeys } from './tables.ts'

/** Deletes the keys of the account that were created until `at` (epoch ms). The caller revokes them. */
export function deleteApiKeys(db: Database, accountId: Id, at: number, when?: SQL) {
  return db.delete(apiKeys).where(and(eq(apiKeys.accountId, accountId), lte(apiKeys.createdAt, at), when))
}
