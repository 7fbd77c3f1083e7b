import { and, eq, lte, type SQL } from 'drizzle-orm'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { appGrants } from './tables.ts'

/** Deletes what the account allowed apps until `at` (epoch ms), which voids their codes. The caller ends their logins. */
export function deleteGrants(db: Database, accountId: Id, at: number, when?: SQL) {
  return db.delete(appGrants).where(and(eq(appGrants.accountId, accountId), lte(appGrants.createdAt, at), when))
}
