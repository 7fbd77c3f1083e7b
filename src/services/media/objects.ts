import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'

export const Variant = z.enum(['image', 'thumbnail'])
export type Variant = z.infer<typeof Variant>

export const OBJECTS = 'media/'
/** R2 deletes a thousand objects at a time, and each of the media has two. */
export const MAX_DELETED = 500

/** The name in R2. It is made of our id alone: nothing that a client sends becomes part of it. */
export function objectKey(mediaId: Id, variant: Variant): string {
  return `${OBJECTS}${mediaId}/${variant}.webp`
}

/** The media that an object belongs to. */
export function mediaIdOf(key: string): Id | null {
  return Id.safeParse(key.slice(OBJECTS.length).split('/')[0]).data ?? null
}

/**
 * Keeps both variants under `mediaId`. Another upload may have drawn the same id in the same 10 ms: whoever comes second
 * is refused as by the database, before it has touched the other's bytes.
 */
export async function putObjects(
  ctx: SystemCtx,
  mediaId: Id,
  bytes: Record<Variant, Uint8Array<ArrayBuffer>>,
): Promise<void> {
  const httpMetadata = { contentType: 'image/webp' }
  const onlyIf = new Headers({ 'if-none-match': '*' })
  const first = await ctx.env.MEDIA.put(objectKey(mediaId, 'image'), bytes.image, { httpMetadata, onlyIf })
  if (first === null) throw new Error('UNIQUE constraint failed: media.id')
  await ctx.env.MEDIA.put(objectKey(mediaId, 'thumbnail'), bytes.thumbnail, { httpMetadata })
}

/** Deletes the objects of up to `MAX_DELETED` media; those that are gone already are no matter. */
export async function deleteObjects(ctx: SystemCtx, mediaIds: readonly Id[]): Promise<void> {
  if (mediaIds.length === 0) return
  await ctx.env.MEDIA.delete(mediaIds.flatMap((id) => Variant.options.map((variant) => objectKey(id, variant))))
}
