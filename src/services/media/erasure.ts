import { and, eq, inArray, isNull, ne, or } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { query } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { markDeleted, purgeDeleted } from './deletion.ts'
import { MAX_DELETED } from './objects.ts'
import { DELETED, media } from './tables.ts'

/** One step. Returns whether no image of the account is left. */
export async function eraseImages(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const db = ctx.db.shardOf(accountId)
  const isKept = or(isNull(media.postId), ne(media.postId, DELETED))
  const own = query
    .select({ id: media.id })
    .from(media)
    .where(and(eq(media.accountId, accountId), isKept))
    .limit(MAX_DELETED)
  const marked = await markDeleted(db, inArray(media.id, own))
  await purgeDeleted(ctx, db)
  return marked.length === 0
}
