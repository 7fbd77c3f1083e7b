import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../platform/context.ts'

export const MAX_IMAGES = 4

export const Limits = z
  .object({
    postLength: z.int().openapi({ description: 'Characters as people count them: grapheme clusters' }),
    postImages: z.int(),
  })
  .openapi('Limits')
type Limits = z.infer<typeof Limits>

/** What a post may hold here: operators choose how long its text may be. */
export function getLimits(ctx: Ctx): Limits {
  return { postLength: ctx.config.POST_MAX_LENGTH, postImages: MAX_IMAGES }
}
