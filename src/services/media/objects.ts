import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { IdTaken } from '../../platform/data/shards.ts'

export const Variant = z.enum(['image', 'thumbnail'])
export type Variant = z.infer<typeof Variant>

export const OBJECTS = 'media/'
/** R2 deletes at most a thousand objects per call, and each image has two. */
export const MAX_DELETED = 500

/** Contains only an id that we generated: client input never becomes part of an object's name. */
export function objectKey(mediaId: Id, variant: Variant): string {
  return `${OBJECTS}${mediaId}/${variant}.webp`
}

export function mediaIdOf(key: string): Id | null {
  return Id.safeParse(key.slice(OBJECTS.length).split('/')[0]).data ?? null
}

/** Throws `IdTaken` if another upload has the same id, and does not overwrite the objects of that upload. */
export async function putObjects(
  ctx: SystemCtx,
  mediaId: Id,
  bytes: Record<Variant, Uint8Array<ArrayBuffer>>,
): Promise<void> {
  const httpMetadata = { contentType: 'image/webp' }
  const onlyIf = new Headers({ 'if-none-match': '*' })
  const first = await ctx.env.MEDIA.put(objectKey(mediaId, 'image'), bytes.image, { httpMetadata, onlyIf })
  if (first === null) throw new IdTaken(`the object of ${mediaId} exists`)
  await ctx.env.MEDIA.put(objectKey(mediaId, 'thumbnail'), bytes.thumbnail, { httpMetadata })
}

/** Accepts at most `MAX_DELETED` ids. */
export async function deleteObjects(ctx: SystemCtx, mediaIds: readonly Id[]): Promise<void> {
  if (mediaIds.length === 0) return
  await ctx.env.MEDIA.delete(mediaIds.flatMap((id) => Variant.options.map((variant) => objectKey(id, variant))))
}
