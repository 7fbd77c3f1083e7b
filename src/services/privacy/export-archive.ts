import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { PartBuffer } from '../../platform/data/part-buffer.ts'
import { type ZipState, zipEnd, zipFile } from '../../platform/data/zip.ts'
import type { ExportEntry } from '../../platform/personal-data.ts'

// The archive is one multipart upload that continues over the steps of a Workflow. After each step, R2 keeps the state
// that the next one starts from. A step that is repeated starts from the same state and replaces the parts it uploaded.

export type Place = { accountId: Id; exportId: Id }
export type Upload = Place & { uploadId: string }

type State = { zip: ZipState; parts: R2UploadedPart[] }

const folderOf = ({ accountId, exportId }: Place) => `${exportsOf(accountId)}${exportId}/`
export const exportsOf = (accountId: Id) => `exports/${accountId}/`
export const archiveKey = (place: Place) => `${folderOf(place)}archive.zip`
const stateKey = (place: Place, step: number) => `${folderOf(place)}state/${step}.json`
const restKey = (place: Place, step: number) => `${folderOf(place)}state/${step}.rest`

export async function beginArchive(ctx: SystemCtx, place: Place, time: number): Promise<string> {
  const httpMetadata = { contentType: 'application/zip' }
  const { uploadId } = await ctx.env.EXPORTS.createMultipartUpload(archiveKey(place), { httpMetadata })
  await save(ctx, place, 0, { zip: { offset: 0, entries: [], time }, parts: [] }, new Uint8Array())
  return uploadId
}

/** Adds files to the archive as it was after `step` steps. `list` gets the paths that the archive has already. */
export async function appendFiles(
  ctx: SystemCtx,
  upload: Upload,
  step: number,
  list: (paths: readonly string[]) => AsyncIterable<ExportEntry>,
): Promise<void> {
  const { zip, buffer } = await resume(ctx, upload, step)
  const paths = zip.entries.map(({ name }) => name)
  for await (const file of list(paths)) for await (const chunk of zipFile(zip, file)) await buffer.write(chunk)
  await save(ctx, upload, step + 1, { zip, parts: buffer.parts }, buffer.rest())
}

/** Returns the size of the archive. */
export async function completeArchive(ctx: SystemCtx, upload: Upload, step: number): Promise<number> {
  const key = archiveKey(upload)
  const complete = await ctx.env.EXPORTS.head(key)
  if (complete) return complete.size
  const { zip, buffer } = await resume(ctx, upload, step)
  for (const chunk of zipEnd(zip)) await buffer.write(chunk)
  await buffer.flush()
  const { size } = await ctx.env.EXPORTS.resumeMultipartUpload(key, upload.uploadId).complete(buffer.parts)
  return size
}

async function resume(ctx: SystemCtx, upload: Upload, step: number) {
  const [state, rest] = await Promise.all([
    ctx.env.EXPORTS.get(stateKey(upload, step)),
    ctx.env.EXPORTS.get(restKey(upload, step)),
  ])
  if (!state || !rest) throw new Error(`the state after step ${step} of an export is missing`)
  const { zip, parts } = await state.json<State>()
  const multipart = ctx.env.EXPORTS.resumeMultipartUpload(archiveKey(upload), upload.uploadId)
  return { zip, buffer: new PartBuffer(multipart, parts, new Uint8Array(await rest.arrayBuffer())) }
}

async function save(ctx: SystemCtx, place: Place, step: number, state: State, rest: Uint8Array): Promise<void> {
  await ctx.env.EXPORTS.put(restKey(place, step), rest)
  await ctx.env.EXPORTS.put(stateKey(place, step), JSON.stringify(state))
}

/** Deletes what the steps stored. The archive itself is kept. */
export function deleteStates(ctx: SystemCtx, place: Place): Promise<void> {
  return deleteObjects(ctx, `${folderOf(place)}state/`)
}

export function deleteExportFiles(ctx: SystemCtx, place: Place): Promise<void> {
  return deleteObjects(ctx, folderOf(place))
}

export async function abortArchive(ctx: SystemCtx, upload: Upload): Promise<void> {
  await ctx.env.EXPORTS.resumeMultipartUpload(archiveKey(upload), upload.uploadId)
    .abort()
    .catch((error: unknown) => ctx.log.info('the upload of an export had already ended', { error }))
}

export async function deleteObjects(ctx: SystemCtx, prefix: string): Promise<void> {
  for (;;) {
    const { objects, truncated } = await ctx.env.EXPORTS.list({ prefix })
    if (objects.length > 0) await ctx.env.EXPORTS.delete(objects.map(({ key }) => key))
    if (!truncated) return
  }
}
