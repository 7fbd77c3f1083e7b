import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { IdTaken } from '../../platform/data/shards.ts'
import type { ImageType } from './inspect.ts'

export const Variant = z.enum(['image', 'thumbnail']).openapi('MediaVariant')
export type Variant = z.infer<typeof Variant>
export type ImageFile = { bytes: Uint8Array<ArrayBuffer>; type: ImageType }

export const OBJECTS = 'media/'
/** R2 deletes at most a thousand objects per call, and each image has two. */
export const MAX_DELETED = 500

/** A key contains no input of users. Its suffix is constant: the type of the image is in the object's metadata. */
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
  { image, thumbnail }: Record<Variant, ImageFile>,
): Promise<void> {
  const onlyIf = new Headers({ 'if-none-match': '*' })
  const typed = ({ type }: ImageFile) => ({ httpMetadata: { contentType: type } })
  const first = await ctx.env.MEDIA.put(objectKey(mediaId, 'image'), image.bytes, { ...typed(image), onlyIf })
  if (first === null) throw new IdTaken(`the object of ${mediaId} exists`)
  await ctx.env.MEDIA.put(objectKey(mediaId, 'thumbnail'), thumbnail.bytes, typed(thumbnail))
}

/** Accepts at most `MAX_DELETED` ids. */
export async function deleteObjects(ctx: SystemCtx, mediaIds: readonly Id[]): Promise<void> {
  if (mediaIds.length === 0) return
  await ctx.env.MEDIA.delete(mediaIds.flatMap((id) => Variant.options.map((variant) => objectKey(id, variant))))
}
