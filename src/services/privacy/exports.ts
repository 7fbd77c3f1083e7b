import { z } from '@hono/zod-openapi'
import { and, desc, eq, gt, ne, notExists, or } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { changed, one, query, rowIf } from '../../platform/data/conditions.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import { Id, shardOf } from '../../platform/data/ids.ts'
import { withFreshId } from '../../platform/data/shards.ts'
import { record } from '../../platform/events/events.ts'
import { Failure, unavailable } from '../../platform/failures.ts'
import { openEnum } from '../../platform/http/open-enum.ts'
import { iso } from '../../platform/personal-data.ts'
import { actorOf } from '../../platform/security/clients.ts'
import { exportRequested } from './events.ts'
import { dataExports, statuses } from './export-tables.ts'

const MAX_LISTED = 20

const ExportStatus = openEnum('ExportStatus', statuses, 'How far an export is')

export const Export = z
  .object({
    id: Id,
    status: ExportStatus,
    createdAt: z.iso.datetime(),
    readyAt: z.iso.datetime().nullable(),
    expiresAt: z.iso.datetime().nullable().openapi({ description: 'Until then, the archive can be downloaded' }),
    bytes: z.int().nullable().openapi({ description: 'The size of the archive' }),
  })
  .openapi('Export', { example: { status: 'ready', expiresAt: '2026-03-21T09:26:53.589Z', bytes: 1_482_310 } })
type Export = z.infer<typeof Export>
export const ExportList = z.object({ items: z.array(Export) }).openapi('ExportList')

type Row = typeof dataExports.$inferSelect

function present(ctx: SystemCtx, { accountId: _, status, createdAt, readyAt, expiresAt, ...row }: Row): Export {
  const isOver = status === 'ready' && expiresAt !== null && expiresAt <= ctx.now()
  return {
    ...row,
    status: isOver ? 'expired' : status,
    createdAt: new Date(createdAt).toISOString(),
    readyAt: iso(readyAt),
    expiresAt: iso(expiresAt),
  }
}

/** Returns the export that is being prepared, if there is one. Throws `quota_exceeded` within a day of the last one. */
export async function requestExport(ctx: UserCtx): Promise<Export> {
  const accountId = ctx.viewer.id
  const db = ctx.db.directory
  const isRecent = or(eq(dataExports.status, 'preparing'), gt(dataExports.createdAt, ctx.now() - DAY_MS))
  const recent = query
    .select(one)
    .from(dataExports)
    .where(and(eq(dataExports.accountId, accountId), ne(dataExports.status, 'failed'), isRecent))
  const actor = await actorOf(ctx)
  const made = await withFreshId(ctx, shardOf(accountId), dataExports.id, async (id) => {
    const row = { id, accountId, status: 'preparing', createdAt: ctx.now() } as const
    const [rows] = await db.commit([
      db
        .insert(dataExports)
        .select(rowIf(dataExports, row, notExists(recent)))
        .returning(),
      record(db, exportRequested, { accountId, exportId: id, ...actor }, changed),
    ])
    return rows[0]
  })
  return present(ctx, made ?? (await latest(ctx)))
}

async function latest(ctx: UserCtx): Promise<Row> {
  const [row] = await atPrimary(ctx)
    .directory.select()
    .from(dataExports)
    .where(and(eq(dataExports.accountId, ctx.viewer.id), ne(dataExports.status, 'failed')))
    .orderBy(desc(dataExports.createdAt))
    .limit(1)
  if (row?.status === 'preparing') return row
  if (!row) throw unavailable(1)
  const seconds = Math.max(1, Math.ceil((row.createdAt + DAY_MS - ctx.now()) / 1_000))
  throw new Failure('quota_exceeded', 'An account may request one export in 24 hours', {
    headers: { 'retry-after': String(seconds) },
  })
}

export async function listExports(ctx: UserCtx): Promise<z.infer<typeof ExportList>> {
  const rows = await ctx.db.directory
    .select()
    .from(dataExports)
    .where(eq(dataExports.accountId, ctx.viewer.id))
    .orderBy(desc(dataExports.createdAt))
    .limit(MAX_LISTED)
  return { items: rows.map((row) => present(ctx, row)) }
}
