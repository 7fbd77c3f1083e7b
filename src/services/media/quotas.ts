import type { UserCtx } from '../../platform/context.ts'
import { quotaExceeded } from '../../platform/security/daily-quota.ts'
import { imageMegabytesPerDay, imagesPerDay } from './variables.ts'

export function imageQuotas(ctx: UserCtx): { images: number; bytes: number } {
  return { images: imagesPerDay(ctx), bytes: imageMegabytesPerDay(ctx) * 1_000_000 }
}

export function quotaRefusals(ctx: UserCtx) {
  const { images, bytes } = imageQuotas(ctx)
  const megabytes = imageMegabytesPerDay(ctx)
  return {
    image_quota: () => quotaExceeded(ctx, 'images', images, `upload at most ${images} images`),
    image_bytes_quota: () => quotaExceeded(ctx, 'imageBytes', bytes, `upload images of at most ${megabytes} MB`),
  }
}
