import { eq, type SQL, sql } from 'drizzle-orm'
import { type Bound, query } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { notificationMarkers } from './tables.ts'

/** When the account last marked its notifications as read: epoch ms, or 0 for never. */
export function readAt(accountId: Bound<Id>): SQL<number> {
  const own = eq(notificationMarkers.accountId, accountId)
  const marker = query.select({ readAt: notificationMarkers.readAt }).from(notificationMarkers).where(own)
  return sql`coalesce(${marker}, 0)`
}
