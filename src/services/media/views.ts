import { z } from '@hono/zod-openapi'
import { and, eq } from 'drizzle-orm'
import type { Ctx, UserCtx } from '../../platform/context.ts'
import { Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { invalid } from '../../platform/failures.ts'
import type { Attachment } from '../posts/tables.ts'
import { signedQuery } from './signatures.ts'
import { media } from './tables.ts'

export const MediaView = z
  .object({
    id: Id,
    url: z.string().openapi({
      description:
        'Relative to the API’s origin. The image fits into 2048 x 2048 pixels. Unless everyone may see it, the URL ' +
        'is signed for the viewer: it stays the same for half an hour, and is valid for at least an hour',
    }),
    thumbnailUrl: z.string().openapi({ description: 'Like `url`, for a thumbnail that fits into 480 x 480 pixels' }),
    alt: z.string(),
    width: z.int(),
    height: z.int(),
    placeholder: z.string().openapi({ description: 'A tiny image as a data URL, to show while the image loads' }),
    animated: z.boolean().openapi({ description: 'Whether the image is an animation. The thumbnail is always still' }),
  })
  .openapi('Media', {
    example: {
      id: '1970324836977153',
      url: '/v1/media/1970324836977153/image',
      thumbnailUrl: '/v1/media/1970324836977153/thumbnail',
      alt: 'A drawing of the engine',
      width: 1_600,
      height: 1_200,
      placeholder: 'data:image/webp;base64,UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==',
    },
  })
export type MediaView = z.infer<typeof MediaView>

export async function mediaUrls(
  ctx: Ctx,
  mediaId: Id,
  isPublic: boolean,
): Promise<{ url: string; thumbnailUrl: string }> {
  const query = isPublic || ctx.viewer === null ? '' : await signedQuery(ctx, mediaId, ctx.viewer.id)
  return { url: `/v1/media/${mediaId}/image${query}`, thumbnailUrl: `/v1/media/${mediaId}/thumbnail${query}` }
}

export async function presentMedia(ctx: UserCtx, row: typeof media.$inferSelect): Promise<MediaView> {
  const { accountId: _, postId: __, conversationId: ___, claim: ____, claimedAt: _____, ...described } = row
  return { ...described, ...(await mediaUrls(ctx, row.id, false)) }
}

/** Accepts attached images: in a replay, the first request has attached them. Otherwise `attachMedia` refuses them. */
export async function loadAttachable(ctx: UserCtx, ids: readonly Id[]): Promise<Attachment[]> {
  if (ids.length === 0) return []
  if (new Set(ids).size < ids.length) throw invalid('media', 'contains an image twice')
  const rows = await ctx.db
    .shardOf(ctx.viewer.id)
    .select({
      id: media.id,
      alt: media.alt,
      width: media.width,
      height: media.height,
      placeholder: media.placeholder,
      animated: media.animated,
    })
    .from(media)
    .where(and(idIn(media.id, ids), eq(media.accountId, ctx.viewer.id)))
  return ids.map((id) => {
    const row = rows.find((candidate) => candidate.id === id)
    if (!row) throw invalid('media', 'contains an image that cannot be attached')
    return row
  })
}
