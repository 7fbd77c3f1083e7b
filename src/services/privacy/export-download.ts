import { z } from '@hono/zod-openapi'
import { and, eq, gt } from 'drizzle-orm'
import type { Ctx } from '../../platform/context.ts'
import { Id, isoTimeOf } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import { notFound } from '../../platform/failures.ts'
import { sealClient } from '../../platform/security/clients.ts'
import { exportDownloaded } from './events.ts'
import { archiveKey } from './export-archive.ts'
import { dataExports } from './export-tables.ts'

export const ExportPath = z.object({ exportId: Id })

export async function downloadExport(ctx: Ctx, { exportId }: { exportId: Id }): Promise<Response> {
  const accountId = ctx.viewer?.id
  if (!accountId) throw notFound()
  const db = ctx.db.directory
  const isReady = and(eq(dataExports.status, 'ready'), gt(dataExports.expiresAt, ctx.now()))
  const own = and(eq(dataExports.id, exportId), eq(dataExports.accountId, accountId), isReady)
  const [row] = await db.select({ id: dataExports.id }).from(dataExports).where(own)
  const archive = row && (await ctx.env.EXPORTS.get(archiveKey({ accountId, exportId })))
  if (!archive) throw notFound()
  const client = await sealClient(ctx, accountId)
  await db.commit([record(db, exportDownloaded, { accountId, exportId, client })])
  return new Response(archive.body, {
    headers: {
      'content-type': 'application/zip',
      'content-length': String(archive.size),
      'content-disposition': `attachment; filename="socialconnect-${isoTimeOf(exportId).slice(0, 10)}.zip"`,
    },
  })
}
