import { z } from '@hono/zod-openapi'
import { and, eq, exists, isNull, or } from 'drizzle-orm'
import type { UserCtx } from '../../platform/context.ts'
import { one, query } from '../../platform/data/conditions.ts'
import { type Claim, idempotent, type Made } from '../../platform/data/idempotency.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { withFreshId } from '../../platform/data/shards.ts'
import { cleanText, describeBounds, requireLength } from '../../platform/data/text.ts'
import { notFound } from '../../platform/failures.ts'
import { sha256 } from '../../platform/security/crypto.ts'
import { countImage } from '../accounts/statements.ts'
import { copyAlt } from '../posts/statements.ts'
import { posts } from '../posts/tables.ts'
import { markDeleted, purgeDeleted } from './deletion.ts'
import { encodeImage, shapes } from './encode.ts'
import { putObjects } from './objects.ts'
import { imageQuotas, withinQuotas } from './quotas.ts'
import { media } from './tables.ts'
import { bytesOf, ImageUpload } from './upload.ts'
import { type MediaView, presentMedia } from './views.ts'

const altBounds = { characters: 1_500, bytes: 6_000 }
const Alt = z.string().openapi(describeBounds(altBounds, 'What the image shows, for people who cannot see it. At most'))

export const MediaUpload = z
  .strictObject({
    file: ImageUpload.openapi({
      type: 'string',
      format: 'binary',
      description:
        'JPEG, PNG, GIF or WebP, up to 10 MiB and 40 megapixels. An animation may have 2048 pixels a side, 500 ' +
        'frames, 60 seconds, and 50 megapixels in all frames together',
    }),
    alt: Alt.default(''),
  })
  .openapi('MediaUpload')
export const MediaChange = z.strictObject({ alt: Alt }).openapi('MediaChange')

export async function uploadMedia(
  ctx: UserCtx,
  { file, ...described }: z.infer<typeof MediaUpload>,
): Promise<Made<MediaView>> {
  const alt = checkedAlt(described.alt)
  const upload = await bytesOf(file)
  const hash = (await sha256(upload)).toHex()
  return idempotent(ctx, 'uploadMedia', { alt, sha256: hash }, (claim) => store(ctx, upload, alt, claim), getOwnMedia)
}

function checkedAlt(given: string): string {
  const alt = cleanText('alt', given)
  requireLength('alt', alt, altBounds)
  return alt
}

const unused = { conversationId: null, claim: null, claimedAt: null }

/** Stores the R2 objects first: a crash then leaves objects without a row, which the hourly job deletes. */
async function store(ctx: UserCtx, upload: Uint8Array<ArrayBuffer>, alt: string, claim: Claim): Promise<MediaView> {
  const { files, ...described } = await encodeImage(ctx.env.IMAGES, upload, shapes.post)
  const accountId = ctx.viewer.id
  const db = ctx.db.shardOf(accountId)
  return withFreshId(ctx, shardOf(accountId), media.id, async (id) => {
    await putObjects(ctx, id, files)
    const row = { id, accountId, postId: null, ...unused, alt, ...described }
    const counted = countImage(db, accountId, upload.length, imageQuotas(ctx))
    await withinQuotas(ctx, id, db.batch([counted, db.insert(media).values(row), ...claim(db, id)]))
    return presentMedia(ctx, row)
  })
}

async function getOwnMedia(ctx: UserCtx, mediaId: Id): Promise<MediaView> {
  const [row] = await ctx.db.shardOf(mediaId).select().from(media).where(eq(media.id, mediaId))
  if (row?.accountId !== ctx.viewer.id) throw notFound()
  return presentMedia(ctx, row)
}

/** Also changes the copy of the description in the post that has the image. */
export async function describeMedia(ctx: UserCtx, { mediaId, alt }: { mediaId: Id; alt: string }): Promise<MediaView> {
  const db = ctx.db.shardOf(mediaId)
  const inPost = exists(query.select(one).from(posts).where(eq(posts.id, media.postId)))
  const described = and(eq(media.id, mediaId), eq(media.accountId, ctx.viewer.id), or(isNull(media.postId), inPost))
  const [[row]] = await db.batch([
    db
      .update(media)
      .set({ alt: checkedAlt(alt) })
      .where(described)
      .returning(),
    copyAlt(db, mediaId),
  ])
  if (!row) throw notFound()
  return presentMedia(ctx, row)
}

export async function deleteMedia(ctx: UserCtx, { mediaId }: { mediaId: Id }): Promise<void> {
  const db = ctx.db.shardOf(mediaId)
  const marked = await markDeleted(db, unattached(ctx, mediaId))
  if (marked.length === 0) throw notFound()
  ctx.defer(() => purgeDeleted(ctx, db))
}

function unattached(ctx: UserCtx, mediaId: Id) {
  return and(eq(media.id, mediaId), eq(media.accountId, ctx.viewer.id), isNull(media.postId))
}
