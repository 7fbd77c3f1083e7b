import { asc, desc, gt, lt, max } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Database } from '../../platform/data/databases.ts'
import { type Id, toId } from '../../platform/data/ids.ts'
import { postSearch, searchMarks } from './tables.ts'

const ROWS = 50_000
const MARKS_PER_RUN = 10
export const LAST_ID = toId(Number.MAX_SAFE_INTEGER)

/** The id where a page that starts at `start` stops looking: 50,000 to 100,000 rows further. None if fewer are left. */
export function markAfter(db: Database, start: Id, backward: boolean) {
  const { firstId } = searchMarks
  return db
    .select({ firstId })
    .from(searchMarks)
    .where(backward ? gt(firstId, start) : lt(firstId, start))
    .orderBy(backward ? asc(firstId) : desc(firstId))
    .limit(1)
    .offset(1)
}

/** Each hour: marks every 50,000th row that was added. */
export async function setMarks(ctx: SystemCtx): Promise<void> {
  const db = ctx.db.index
  for (let count = 0; count < MARKS_PER_RUN; count++) {
    const [last] = await db.select({ id: max(searchMarks.firstId) }).from(searchMarks)
    const { id } = postSearch
    const isNew = gt(id, toId(Number(last?.id ?? 0)))
    const [next] = await db.select({ id }).from(postSearch).where(isNew).orderBy(asc(id)).limit(1).offset(ROWS)
    if (!next) return
    await db.insert(searchMarks).values({ firstId: next.id }).onConflictDoNothing()
  }
}
