import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../platform/context.ts'
import { postMaxLength } from './variables.ts'

export const MAX_IMAGES = 4

export const Limits = z
  .object({
    postLength: z.int().openapi({ description: 'Characters, counted as grapheme clusters' }),
    postImages: z.int(),
  })
  .openapi('Limits')
type Limits = z.infer<typeof Limits>

export function getLimits(ctx: Ctx): Limits {
  return { postLength: postMaxLength(ctx), postImages: MAX_IMAGES }
}
