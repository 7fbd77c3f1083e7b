import { and, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { failUnless, refusals } from '../../platform/data/conditions.ts'
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

type Claim = { conversationId: string; claim: string; ids: readonly Id[] }

/** Keeps images for a message, before it is sent. Repeating it is harmless. Throws `invalid` for images that are used elsewhere. */
export async function claimImages(ctx: UserCtx, { conversationId, claim, ids }: Claim): Promise<Image[]> {
  const images = await loadAttachable(ctx, ids)
  const db = ctx.db.shardOf(ctx.viewer.id)
  const isUsable = or(isNull(media.postId), isClaimed(conversationId, claim))
  const update = db
    .update(media)
    .set({ postId: SENDING, conversationId, claim, claimedAt: ctx.now() })
    .where(and(idIn(media.id, ids), eq(media.accountId, ctx.viewer.id), isUsable))
  await db.batch([update, allChanged(db, ids)]).catch(refusals(attachRefusals))
  return images
}

/** Gives back the images of a message that was refused. */
export async function releaseImages(ctx: UserCtx, { conversationId, claim, ids }: Claim): Promise<void> {
  const own = and(idIn(media.id, ids), eq(media.accountId, ctx.viewer.id), isClaimed(conversationId, claim))
  const unused = { postId: null, conversationId: null, claim: null, claimedAt: null }
  await ctx.db.shardOf(ctx.viewer.id).update(media).set(unused).where(own)
}

const isClaimed = (conversationId: string, claim: string) =>
  and(eq(media.postId, SENDING), eq(media.conversationId, conversationId), eq(media.claim, claim))

type Settled = { kept: readonly Id[]; gone: readonly Id[] }

/** `kept`: those that a stored message has, which describes them, sealed; `gone`: those whose message is deleted. */
export async function settleImages(
  ctx: SystemCtx,
  conversationId: string | null,
  { kept, gone }: Settled,
): Promise<void> {
  const shards = [...new Set([...kept, ...gone].map(shardOf))]
  await settleConcurrently(shards, async (shard) => {
    const db = ctx.db.shard(shard)
    const here = (ids: readonly Id[]) => ids.filter((id) => shardOf(id) === shard)
    const isWaiting = or(isNull(media.postId), eq(media.postId, SENDING))
    const undescribed = { alt: '', placeholder: '' }
    await db
      .update(media)
      .set({ postId: IN_MESSAGE, conversationId, ...undescribed })
      .where(and(idIn(media.id, here(kept)), isWaiting))
    if (here(gone).length === 0) return
    await markDeleted(db, and(idIn(media.id, here(gone)), inArray(media.postId, [SENDING, IN_MESSAGE])))
    await purgeDeleted(ctx, db)
  })
}
