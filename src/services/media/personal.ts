import { and, asc, eq, gt } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import { type Id, isoTimeOf } from '../../platform/data/ids.ts'
import { classify, type ExportEntry, jsonList, type PersonalData, pagesOf } from '../../platform/personal-data.ts'
import { eraseImages } from './erasure.ts'
import { objectKey } from './objects.ts'
import { media } from './tables.ts'

export const mediaData: PersonalData = {
  inventory: {
    ...classify(media, {
      id: 'exported',
      accountId: 'owner',
      postId: 'exported',
      conversationId: 'exported',
      claim: 'technical',
      claimedAt: 'technical',
      alt: 'exported',
      width: 'exported',
      height: 'exported',
      placeholder: 'technical',
      animated: 'exported',
    }),
    'R2 MEDIA media/<media id>/image.webp': { object: 'exported' },
    'R2 MEDIA media/<media id>/thumbnail.webp': { object: 'technical' },
    'KV CACHE media:checked-objects': { value: 'technical' },
  },
  exported,
  erase: eraseImages,
}

async function* exported(ctx: SystemCtx, accountId: Id): AsyncGenerator<ExportEntry> {
  yield jsonList('media.json', described(ctx, accountId))
  for await (const rows of images(ctx, accountId)) {
    for (const { id } of rows) {
      const object = await ctx.env.MEDIA.get(objectKey(id, 'image'))
      if (object) yield { path: `media/${id}.${suffixOf(object)}`, body: object.body }
    }
  }
}

async function* described(ctx: SystemCtx, accountId: Id) {
  for await (const rows of images(ctx, accountId)) {
    yield rows.map(({ accountId: _, placeholder: __, claim: ___, claimedAt: ____, ...image }) => ({
      ...image,
      uploadedAt: isoTimeOf(image.id),
    }))
  }
}

function images(ctx: SystemCtx, accountId: Id) {
  return pagesOf((after, limit) =>
    ctx.db
      .shardOf(accountId)
      .select()
      .from(media)
      .where(and(eq(media.accountId, accountId), gt(media.id, after)))
      .orderBy(asc(media.id))
      .limit(limit),
  )
}

function suffixOf({ httpMetadata }: R2Object): string {
  return httpMetadata?.contentType?.split('/')[1] ?? 'webp'
}
