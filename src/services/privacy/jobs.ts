import { and, asc, eq, lt, lte } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { mapConcurrently } from '../../platform/data/shards.ts'
import type { Job } from '../../platform/events/jobs.ts'
import { exportJobs } from './export-jobs.ts'
import { replayLedger } from './ledger.ts'
import { deletions } from './tables.ts'

const STARTED_PER_RUN = 50
/** An erasure that makes no progress for this long is started again. */
const STALLED_MS = 10 * 60_000

export const privacyJobs: Job[] = [
  ...exportJobs,
  { name: 'start due erasures', every: 'minute', run: startDueErasures },
  { name: 'erase again what a restore brought back', every: 'hour', run: replayLedger },
]

async function startDueErasures(ctx: SystemCtx): Promise<void> {
  const now = ctx.now()
  const db = ctx.db.directory
  const due = await db
    .select({ accountId: deletions.accountId })
    .from(deletions)
    .where(and(lte(deletions.eraseAt, now), lt(deletions.progressedAt, now - STALLED_MS)))
    .orderBy(asc(deletions.eraseAt))
    .limit(STARTED_PER_RUN)
  await mapConcurrently(due, async ({ accountId }) => {
    await startErasure(ctx, accountId)
    await db.update(deletions).set({ progressedAt: now }).where(eq(deletions.accountId, accountId))
  })
}

/** It exists if the erasure stalled, a deletion was cancelled at the last moment, or a restore undid the erasure. */
async function startErasure({ env }: SystemCtx, accountId: Id): Promise<void> {
  const created = await env.ERASURES.create({ id: accountId, params: { accountId } }).catch(() => null)
  if (created === null) await (await env.ERASURES.get(accountId)).restart()
}
