import { and, eq, isNull, sql } from 'drizzle-orm'
import { failUnless } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { invalid } from '../../platform/failures.ts'
import { media } from './tables.ts'

type Attachment = { postId: Id; accountId: Id; ids: readonly Id[] }

/** Fails the batch unless all images can be attached. Place it after the idempotency claim: replays must fail there. */
export function attachMedia(db: Database, { postId, accountId, ids }: Attachment) {
  if (ids.length === 0) return []
  const attachable = and(idIn(media.id, ids), eq(media.accountId, accountId), isNull(media.postId))
  return [
    db.update(media).set({ postId }).where(attachable),
    failUnless(db, sql`changes() = ${ids.length}`, 'media_unavailable'),
  ]
}

export const attachRefusals = { media_unavailable: () => invalid('media', 'contains an image that cannot be attached') }
