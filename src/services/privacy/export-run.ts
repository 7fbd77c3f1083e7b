import type { WorkflowStep } from 'cloudflare:workers'
import { and, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { changed } from '../../platform/data/conditions.ts'
import { DAY_MS } from '../../platform/data/expiry.ts'
import type { Id } from '../../platform/data/ids.ts'
import { record } from '../../platform/events/events.ts'
import type { PersonalData } from '../../platform/personal-data.ts'
import { mailIfChanged } from '../identity/statements.ts'
import { exportReady } from './events.ts'
import {
  abortArchive,
  appendFiles,
  beginArchive,
  completeArchive,
  deleteExportFiles,
  deleteStates,
  type Place,
  type Upload,
} from './export-archive.ts'
import { indexPage } from './export-index.ts'
import { dataExports } from './export-tables.ts'

const ARCHIVE_LIFE_MS = DAY_MS

export type Source = { service: string; exported: PersonalData['exported'] }
type Steps = Pick<WorkflowStep, 'do'>

/** By default, a step times out after ten minutes, which may be too short for thousands of images. */
const LONG = { retries: { limit: 10, delay: '10 seconds', backoff: 'exponential' }, timeout: '1 hour' } as const

/** Writes an export in steps that can be repeated. Each service is one step, so a killed step repeats only its service. */
export async function runExport(ctx: SystemCtx, place: Place, steps: Steps, sources: readonly Source[]): Promise<void> {
  const begun = await steps.do('begin', () => begin(ctx, place, sources))
  if (!begun) return
  const upload = { ...place, uploadId: begun.uploadId }
  try {
    await write(ctx, upload, steps, begun.services, sources)
  } catch (error) {
    ctx.log.error('an export failed', { accountId: place.accountId, exportId: place.exportId, error })
    await steps.do('fail', () => fail(ctx, upload))
  }
  await steps.do('clean up', () => cleanUp(ctx, upload))
}

/** Keeps the list of services, so that a deployment does not change the steps of a running export. */
async function begin(ctx: SystemCtx, place: Place, sources: readonly Source[]) {
  const row = await rowOf(ctx, place.exportId)
  if (row?.status !== 'preparing') return null
  const uploadId = await beginArchive(ctx, place, row.createdAt)
  return { uploadId, services: sources.map(({ service }) => service) }
}

async function write(
  ctx: SystemCtx,
  upload: Upload,
  steps: Steps,
  services: readonly string[],
  sources: readonly Source[],
): Promise<void> {
  for (const [step, service] of services.entries()) {
    const source = sources.find((candidate) => candidate.service === service)
    await steps.do(`collect ${service}`, LONG, () =>
      appendFiles(ctx, upload, step, () => source?.exported(ctx, upload.accountId) ?? none()),
    )
  }
  const { length } = services
  await steps.do('write the index', LONG, () =>
    appendFiles(ctx, upload, length, (paths) => indexPage(ctx, upload.accountId, paths)),
  )
  const bytes = await steps.do('complete', () => completeArchive(ctx, upload, length + 1))
  await steps.do('announce', () => announce(ctx, upload, bytes))
}

async function* none() {}

async function announce(ctx: SystemCtx, { accountId, exportId }: Place, bytes: number): Promise<void> {
  const db = ctx.db.directory
  const now = ctx.now()
  await db.commit([
    db
      .update(dataExports)
      .set({ status: 'ready', readyAt: now, expiresAt: now + ARCHIVE_LIFE_MS, bytes })
      .where(and(eq(dataExports.id, exportId), eq(dataExports.status, 'preparing'))),
    record(db, exportReady, { accountId, exportId }, changed),
    ...mailIfChanged(db, accountId, 'export-ready'),
  ])
}

async function fail(ctx: SystemCtx, upload: Upload): Promise<void> {
  await markFailed(ctx, upload.exportId)
  await abortArchive(ctx, upload)
}

export async function markFailed(ctx: SystemCtx, exportId: Id): Promise<void> {
  await ctx.db.directory
    .update(dataExports)
    .set({ status: 'failed' })
    .where(and(eq(dataExports.id, exportId), eq(dataExports.status, 'preparing')))
}

/** Deletes the working state, and the archive too if the export failed or the account was erased in the meantime. */
async function cleanUp(ctx: SystemCtx, place: Place): Promise<void> {
  const row = await rowOf(ctx, place.exportId)
  await (row?.status === 'ready' ? deleteStates(ctx, place) : deleteExportFiles(ctx, place))
}

async function rowOf(ctx: SystemCtx, exportId: Id) {
  const [row] = await ctx.db.directory.select().from(dataExports).where(eq(dataExports.id, exportId))
  return row
}
