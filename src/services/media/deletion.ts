import { eq, type SQL } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Database } from '../../platform/data/databases.ts'
import { idIn } from '../../platform/data/shards.ts'
import { deleteObjects, MAX_DELETED } from './objects.ts'
import { DELETED, media } from './tables.ts'

/** Hides images at once. Callers then run `purgeDeleted`; after a crash, the hourly job does. */
export function markDeleted(db: Database, which: SQL | undefined) {
  return db.update(media).set({ postId: DELETED }).where(which).returning({ id: media.id })
}

const STEPS_PER_RUN = 10

/** Deletes R2 objects before their row, so that a crash leaves no objects without a row. The hourly job goes on where a run ends. */
export async function purgeDeleted(ctx: SystemCtx, db: Database): Promise<void> {
  for (let step = 0; step < STEPS_PER_RUN; step++) {
    const rows = await db.select({ id: media.id }).from(media).where(eq(media.postId, DELETED)).limit(MAX_DELETED)
    if (rows.length === 0) return
    const ids = rows.map((row) => row.id)
    await deleteObjects(ctx, ids)
    await db.delete(media).where(idIn(media.id, ids))
  }
}
