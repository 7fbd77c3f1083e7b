import type { UserCtx } from '../../platform/context.ts'
import { refusals } from '../../platform/data/conditions.ts'
import type { Id } from '../../platform/data/ids.ts'
import { Failure } from '../../platform/failures.ts'
import { quotaExceeded } from '../../platform/security/daily-quota.ts'
import { deleteObjects } from './objects.ts'
import { imageMegabytesPerDay, imagesPerDay } from './variables.ts'

export function imageQuotas(ctx: UserCtx): { images: number; bytes: number } {
  return { images: imagesPerDay(ctx), bytes: imageMegabytesPerDay(ctx) * 1_000_000 }
}

function quotaRefusals(ctx: UserCtx) {
  const { images, bytes } = imageQuotas(ctx)
  const megabytes = imageMegabytesPerDay(ctx)
  return {
    image_quota: () => quotaExceeded(ctx, 'images', images, `upload at most ${images} images`),
    image_bytes_quota: () => quotaExceeded(ctx, 'imageBytes', bytes, `upload at most ${megabytes} MB of images`),
  }
}

/** Waits for a batch with `countImage`. If the quota refuses the image, deletes its objects again. */
export async function withinQuotas<T>(ctx: UserCtx, id: Id, batch: Promise<T>): Promise<T> {
  return batch.catch(refusals(quotaRefusals(ctx))).catch(async (error: unknown) => {
    if (error instanceof Failure) await deleteObjects(ctx, [id])
    throw error
  })
}
