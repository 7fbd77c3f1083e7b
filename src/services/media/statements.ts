import { and, eq, isNull, sql } from 'drizzle-orm'
import { type Database, idIn } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { constraintOf, invalid } from '../../platform/http/errors.ts'
import { media } from './tables.ts'

type Taking = { postId: Id; accountId: Id; ids: readonly Id[] }

/**
 * Gives the account's images to its post, all of them or none: when one is not there, not theirs, or another post's, the
 * batch fails (`refuseAttached` says so to the client). Put it after the claim of the Idempotency-Key.
 */
export function attachMedia(db: Database, { postId, accountId, ids }: Taking) {
  if (ids.length === 0) return []
  const named = idIn(media.id, ids)
  const unlessAll = sql`changes() <> ${ids.length}`
  return [
    db
      .update(media)
      .set({ postId })
      .where(and(named, eq(media.accountId, accountId), isNull(media.postId))),
    // D1 has no statement that fails a batch: this one, unless all were taken, inserts a row twice under one id.
    db
      .insert(media)
      .select(
        sql`select ${Number(postId)}, ${Number(accountId)}, null, '', 0, 0, '' from (select 1 union all select 1) where ${unlessAll}`,
      ),
  ]
}

/** For `.catch` on a batch with `attachMedia`: turns its refusal into `invalid`, and throws anything else on. */
export function refuseAttached(error: unknown): never {
  throw constraintOf(error) === 'media.id' ? invalid('media', 'names an image that is not there to be used') : error
}
