import { and, eq, lte, type SQL } from 'drizzle-orm'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { apiKeys } from './tables.ts'

type Which = { until?: number; when?: SQL | undefined }

/** Deletes the keys of the account; with `until` (epoch ms), only those created until then. The caller revokes them. */
export function deleteApiKeys(db: Database, accountId: Id, { until, when }: Which = {}) {
  const isOld = until === undefined ? undefined : lte(apiKeys.createdAt, until)
  return db.delete(apiKeys).where(and(eq(apiKeys.accountId, accountId), isOld, when))
}
