import { and, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { either, failUnless, refusals } from '../../platform/data/conditions.ts'
import type { Database } from '../../platform/data/databases.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { idIn, settleConcurrently } from '../../platform/data/shards.ts'
import { invalid } from '../../platform/failures.ts'
import type { Attachment as Image } from '../posts/tables.ts'
import { markDeleted, purgeDeleted } from './deletion.ts'
import { IN_MESSAGE, media, SENDING } from './tables.ts'
import { loadAttachable } from './views.ts'

type Attachment = { postId: Id; accountId: Id; ids: readonly Id[] }

/** Fails the batch unless all images can be attached. Place it after the idempotency claim: replays must fail there. */
export function attachMedia(db: Database, { postId, accountId, ids }: Attachment) {
  if (ids.length === 0) return []
  const attachable = and(idIn(media.id, ids), eq(media.accountId, accountId), isNull(media.postId))
  return [db.update(media).set({ postId }).where(attachable), allChanged(db, ids)]
}

const allChanged = (db: Database, ids: readonly Id[]) =>
  failUnless(db, sql`changes() = ${ids.length}`, 'media_unavailable')

export const attachRefusals = { media_unavailable: () => invalid('media', 'contains an image that cannot be attached') }

const isSent = inArray(media.postId, [SENDING, IN_MESSAGE])

/** Keeps images for a message, before it is sent. Repeating it is harmless. Throws `invalid` for images that are used elsewhere. */
export async function claimImages(ctx: UserCtx, conversationId: string, ids: readonly Id[]): Promise<Image[]> {
  const images = await loadAttachable(ctx, ids)
  if (ids.length === 0) return []
  const db = ctx.db.shardOf(ctx.viewer.id)
  const isFree = isNull(media.postId)
  const isUsable = or(isFree, and(isSent, eq(media.conversationId, conversationId)))
  const claim = db
    .update(media)
    .set({ postId: either<Id>(isFree, SENDING, media.postId), conversationId })
    .where(and(idIn(media.id, ids), eq(media.accountId, ctx.viewer.id), isUsable))
  await db.batch([claim, allChanged(db, ids)]).catch(refusals(attachRefusals))
  return images
}

/** `kept`: those that a stored message has; `gone`: those whose message is deleted. */
export async function settleImages(ctx: SystemCtx, kept: readonly Id[], gone: readonly Id[]): Promise<void> {
  const shards = [...new Set([...kept, ...gone].map(shardOf))]
  await settleConcurrently(shards, async (shard) => {
    const db = ctx.db.shard(shard)
    const here = (ids: readonly Id[]) => ids.filter((id) => shardOf(id) === shard)
    const isWaiting = eq(media.postId, SENDING)
    await db
      .update(media)
      .set({ postId: IN_MESSAGE })
      .where(and(idIn(media.id, here(kept)), isWaiting))
    if (here(gone).length === 0) return
    await markDeleted(db, and(idIn(media.id, here(gone)), isSent))
    await purgeDeleted(ctx, db)
  })
}
