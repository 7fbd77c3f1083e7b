import { and, eq, lt, ne } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { mapConcurrently } from '../../platform/data/shards.ts'
import type { Job } from '../../platform/events/jobs.ts'
import { deleteExportFiles, type Place } from './export-archive.ts'
import { markFailed } from './export-run.ts'
import { dataExports } from './export-tables.ts'

const MOST_PER_RUN = 200
const OVERDUE_MS = 3_600_000
const KEPT_MS = 7 * DAY_MS

export const exportJobs: Job[] = [
  { name: 'delete expired exports', every: 'hour', run: deleteExpired },
  { name: 'resume overdue exports', every: 'hour', run: resumeOverdue },
]

const place = { accountId: dataExports.accountId, exportId: dataExports.id }

export async function deleteExpired(ctx: SystemCtx): Promise<void> {
  const db = ctx.db.directory
  const now = ctx.now()
  const isOver = and(eq(dataExports.status, 'ready'), lt(dataExports.expiresAt, now))
  const over = await db.select(place).from(dataExports).where(isOver).limit(MOST_PER_RUN)
  await mapConcurrently(over, async (each) => {
    await deleteExportFiles(ctx, each)
    await db.update(dataExports).set({ status: 'expired' }).where(eq(dataExports.id, each.exportId))
  })
  await db.delete(dataExports).where(and(ne(dataExports.status, 'preparing'), lt(dataExports.createdAt, now - KEPT_MS)))
}

/** Starts Workflows that were not started, and gives up exports after a day. */
export async function resumeOverdue(ctx: SystemCtx): Promise<void> {
  const now = ctx.now()
  const isOverdue = and(eq(dataExports.status, 'preparing'), lt(dataExports.createdAt, now - OVERDUE_MS))
  const overdue = await ctx.db.directory
    .select({ ...place, createdAt: dataExports.createdAt })
    .from(dataExports)
    .where(isOverdue)
    .limit(MOST_PER_RUN)
  await mapConcurrently(overdue, async ({ createdAt, ...each }) => {
    if (createdAt >= now - DAY_MS) return startExport(ctx, each)
    await markFailed(ctx, each.exportId)
    await deleteExportFiles(ctx, each)
  })
}

/** Starts the Workflow of an export. One that gave up is restarted; one whose process was killed goes on at the event. */
export async function startExport(ctx: SystemCtx, { accountId, exportId }: Place): Promise<void> {
  const id = `export-${exportId}`
  const created = await ctx.env.EXPORTER.createBatch([{ id, params: { accountId, exportId } }])
  if (created.length > 0) return
  const instance = await ctx.env.EXPORTER.get(id)
  const { status } = await instance.status()
  await (status === 'errored' ? instance.restart() : instance.sendEvent({ type: 'resume', payload: null }))
}
