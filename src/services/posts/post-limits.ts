import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../platform/context.ts'
import type { Bounds } from '../../platform/data/text.ts'
import { imageMegabytesPerDay, imagesPerDay } from '../media/variables.ts'
import { postMaxLength, postsPerDay } from './variables.ts'

export const MAX_IMAGES = 4
export const MAX_TEXT_BYTES = 40_000
const BYTES_PER_CHARACTER = 20

export function postBounds(ctx: Ctx): Bounds {
  const characters = postMaxLength(ctx)
  return { characters, bytes: Math.min(BYTES_PER_CHARACTER * characters, MAX_TEXT_BYTES) }
}

export const Limits = z
  .object({
    postLength: z.int().openapi({ description: 'Characters, counted as grapheme clusters' }),
    postBytes: z.int().openapi({ description: 'Bytes of the text in UTF-8' }),
    postImages: z.int(),
    postsPerDay: z.int().openapi({ description: 'Posts and comments that an account may create in a day (UTC)' }),
    imagesPerDay: z.int().openapi({ description: 'All images that an account may upload in a day (UTC)' }),
    imageMegabytesPerDay: z.int().openapi({ description: 'The size of these images together, in 1,000,000 bytes' }),
  })
  .openapi('Limits', {
    example: {
      postLength: 500,
      postBytes: 10_000,
      postImages: 4,
      postsPerDay: 1_000,
      imagesPerDay: 500,
      imageMegabytesPerDay: 1_000,
    },
  })
type Limits = z.infer<typeof Limits>

export function getLimits(ctx: Ctx): Limits {
  const { characters, bytes } = postBounds(ctx)
  return {
    postLength: characters,
    postBytes: bytes,
    postImages: MAX_IMAGES,
    postsPerDay: postsPerDay(ctx),
    imagesPerDay: imagesPerDay(ctx),
    imageMegabytesPerDay: imageMegabytesPerDay(ctx),
  }
}
