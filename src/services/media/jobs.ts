import { and, isNull, lt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { fromShards, idIn } from '../../platform/data/databases.ts'
import { firstIdAt, type Id, shardOf } from '../../platform/data/ids.ts'
import type { Job } from '../../platform/events/jobs.ts'
import { markDeleted, purgeDeleted } from './deletion.ts'
import { deleteObjects, MAX_DELETED, mediaIdOf, OBJECTS } from './objects.ts'
import { media } from './tables.ts'

const HOUR_MS = 3_600_000
const PAGES = 100
const CHECKED = 'media:checked-objects'

export const mediaJobs: Job[] = [
  { name: 'remove media that no post took', minute: 43, run: removeUnattached },
  { name: 'remove objects that have no media', minute: 43, run: removeOrphans },
]

/** Removes what has waited a day for a post, and what a crash kept from being removed. */
async function removeUnattached(ctx: SystemCtx): Promise<void> {
  const dayOld = lt(media.id, firstIdAt(ctx.now() - 24 * HOUR_MS))
  for (const n of ctx.db.shards) {
    const db = ctx.db.shard(n)
    await markDeleted(db, and(isNull(media.postId), dayOld))
    await purgeDeleted(ctx, db)
  }
}

/**
 * Removes the objects of uploads that died before their row was written. Nothing else leaves objects behind. Names begin
 * with an id and ids with the time, so each hour lists only what was uploaded since the last: `CHECKED` remembers how far
 * it came. The last hour is left alone, for uploads under way.
 */
async function removeOrphans(ctx: SystemCtx): Promise<void> {
  const until = `${OBJECTS}${firstIdAt(ctx.now() - HOUR_MS)}`
  const checked = await ctx.env.CACHE.get(CHECKED)
  // Names sort by time as long as ids have one length: when they grow a digit, in 2034, the search begins anew.
  let startAfter = checked !== null && checked < until ? checked : OBJECTS
  for (let page = 0; page < PAGES; page++) {
    const { objects, truncated } = await ctx.env.MEDIA.list({ prefix: OBJECTS, startAfter, limit: MAX_DELETED })
    const old = objects.map((object) => object.key).filter((key) => key < until)
    await deleteObjects(ctx, await withoutRow(ctx, old))
    startAfter = old.at(-1) ?? startAfter
    if (!truncated || old.length < objects.length) break
  }
  await ctx.env.CACHE.put(CHECKED, startAfter)
}

/** The media idIn the objects' that have no row. Of a shard that is not bound here nobody can tell, so it is left alone. */
async function withoutRow(ctx: SystemCtx, keys: string[]): Promise<Id[]> {
  const named = keys.map(mediaIdOf).filter((id) => id !== null)
  const ids = new Set(named.filter((id) => ctx.db.shards.includes(shardOf(id))))
  const rows = await fromShards(ctx.db, ids, (db, mine) =>
    db.select({ id: media.id }).from(media).where(idIn(media.id, mine)),
  )
  return [...ids.difference(new Set(rows.map((row) => row.id)))]
}
