import { and, eq, gt, inArray, isNull } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { query } from '../../platform/data/conditions.ts'
import { firstIdAt, type Id } from '../../platform/data/ids.ts'
import { accounts } from '../accounts/tables.ts'
import { feedIndex } from '../feed/tables.ts'
import { markDeleted, purgeDeleted } from './deletion.ts'
import { MAX_DELETED } from './objects.ts'
import { media } from './tables.ts'

const UNATTACHED_MS = 26 * 3_600_000

/**
 * No index of images has the account, because it would cost a row with every upload: they are found by their posts and
 * by the profile. An image without a post is deleted after a day, so those that are left are among the newest ids.
 */
export async function eraseImages(ctx: SystemCtx, accountId: Id): Promise<boolean> {
  const db = ctx.db.shardOf(accountId)
  const ownPosts = query.select({ id: feedIndex.postId }).from(feedIndex).where(eq(feedIndex.authorId, accountId))
  const posted = query
    .select({ id: media.id })
    .from(media)
    .where(and(inArray(media.postId, ownPosts), eq(media.accountId, accountId)))
    .limit(MAX_DELETED)
  const profile = (column: typeof accounts.avatarId | typeof accounts.headerId) =>
    query.select({ id: column }).from(accounts).where(eq(accounts.id, accountId))
  const recent = and(gt(media.id, firstIdAt(ctx.now() - UNATTACHED_MS)), isNull(media.postId))
  const [attached, ...others] = await db.batch([
    markDeleted(db, inArray(media.id, posted)),
    markDeleted(db, and(inArray(media.id, profile(accounts.avatarId)), eq(media.accountId, accountId))),
    markDeleted(db, and(inArray(media.id, profile(accounts.headerId)), eq(media.accountId, accountId))),
    markDeleted(db, and(recent, eq(media.accountId, accountId))),
  ])
  await purgeDeleted(ctx, db)
  return attached.length + others.flat().length === 0
}
