import { eq, type SQL } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { type Database, idIn } from '../../platform/data/databases.ts'
import { type Id, toId } from '../../platform/data/ids.ts'
import { deleteObjects, MAX_DELETED } from './objects.ts'
import { media } from './tables.ts'

/** Stands for the post of media that are being removed: none has this id, so nobody sees them and no post can take them. */
const DELETED = toId(0)

/** Takes media out of everyone's sight. `purgeDeleted` then removes them, now or, after a crash, within the hour. */
export function markDeleted(db: Database, which: SQL | undefined): Promise<{ id: Id }[]> {
  return db.update(media).set({ postId: DELETED }).where(which).returning({ id: media.id })
}

/** Removes what was dropped: the objects first and then the row that names them, so that a crash leaves none behind. */
export async function purgeDeleted(ctx: SystemCtx, db: Database): Promise<void> {
  for (;;) {
    const rows = await db.select({ id: media.id }).from(media).where(eq(media.postId, DELETED)).limit(MAX_DELETED)
    if (rows.length === 0) return
    const ids = rows.map((row) => row.id)
    await deleteObjects(ctx, ids)
    await db.delete(media).where(idIn(media.id, ids))
  }
}
