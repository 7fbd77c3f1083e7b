import { and, eq, isNull, lt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Database } from '../../platform/data/databases.ts'
import { firstIdAt, type Id, shardOf } from '../../platform/data/ids.ts'
import { fromShards, idIn, mapConcurrently } from '../../platform/data/shards.ts'
import type { Job } from '../../platform/events/jobs.ts'
import { hasImage } from '../messaging/queries.ts'
import { markDeleted, purgeDeleted } from './deletion.ts'
import { deleteObjects, MAX_DELETED, mediaIdOf, OBJECTS } from './objects.ts'
import { settleImages } from './statements.ts'
import { media, SENDING } from './tables.ts'

const HOUR_MS = 3_600_000
/** A minute of 400 uploads a second, each of which has two objects: a run may repeat one, because KV is late by a minute. */
const PAGES = 48
const PAGE = 1_000
const UNSENT_PER_RUN = 100
const CHECKED = 'media:checked-objects'

export const mediaJobs: Job[] = [
  { name: 'delete unattached media', every: 'hour', perShard: true, run: deleteUnattached },
  { name: 'delete objects without media', every: 'minute', run: deleteOrphans },
]

async function deleteUnattached(ctx: SystemCtx, db: Database): Promise<void> {
  const dayOld = lt(media.id, firstIdAt(ctx.now() - 24 * HOUR_MS))
  await markDeleted(db, and(isNull(media.postId), dayOld))
  await purgeDeleted(ctx, db)
  await settleUnsent(ctx, db)
}

/** Images whose message was not stored, or not confirmed. Sending takes seconds, so an hour after the claim it is known. */
async function settleUnsent(ctx: SystemCtx, db: Database): Promise<void> {
  const isOverdue = and(eq(media.postId, SENDING), lt(media.claimedAt, ctx.now() - HOUR_MS))
  const rows = await db.select().from(media).where(isOverdue).orderBy(media.claimedAt).limit(UNSENT_PER_RUN)
  await mapConcurrently(rows, async ({ id, conversationId }) => {
    const settle = hasImage(ctx, conversationId, id).then((isKept) =>
      settleImages(ctx, conversationId, isKept ? { kept: [id], gone: [] } : { kept: [], gone: [id] }),
    )
    await settle.catch((error: unknown) => ctx.log.warn('an image of a message waits', { id, error }))
  })
}

/** Keys sort by time, so a run continues where the last one ended. Skips the last hour: uploads may be in progress. */
async function deleteOrphans(ctx: SystemCtx): Promise<void> {
  const until = `${OBJECTS}${firstIdAt(ctx.now() - HOUR_MS)}`
  const checked = await ctx.env.CACHE.get(CHECKED)
  // When ids get another digit, in 2034, keys no longer sort by time: the listing then restarts from the beginning.
  let startAfter = checked !== null && checked < until ? checked : OBJECTS
  for (let page = 0; page < PAGES; page++) {
    const { objects, truncated } = await ctx.env.MEDIA.list({ prefix: OBJECTS, startAfter, limit: PAGE })
    const old = objects.map((object) => object.key).filter((key) => key < until)
    const orphans = await withoutRow(ctx, old)
    for (let at = 0; at < orphans.length; at += MAX_DELETED)
      await deleteObjects(ctx, orphans.slice(at, at + MAX_DELETED))
    startAfter = old.at(-1) ?? startAfter
    if (!truncated || old.length < objects.length) break
  }
  if (startAfter !== checked) await ctx.env.CACHE.put(CHECKED, startAfter)
}

/** Objects of a shard that is not bound here are kept, because their rows cannot be checked. */
async function withoutRow(ctx: SystemCtx, keys: string[]): Promise<Id[]> {
  const named = keys.map(mediaIdOf).filter((id) => id !== null)
  const ids = new Set(named.filter((id) => ctx.db.shards.includes(shardOf(id))))
  const rows = await fromShards(ctx.db, ids, (db, group) =>
    db.select({ id: media.id }).from(media).where(idIn(media.id, group)),
  )
  return [...ids.difference(new Set(rows.map((row) => row.id)))]
}
