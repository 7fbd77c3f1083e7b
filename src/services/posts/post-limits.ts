import { z } from '@hono/zod-openapi'
import type { Ctx } from '../../platform/context.ts'
import type { Bounds } from '../../platform/data/text.ts'
import { postMaxLength } from './variables.ts'

export const MAX_IMAGES = 4
export const MAX_TEXT_BYTES = 40_000

/** Most emoji sequences fit into 20 bytes. */
export function postBounds(ctx: Ctx): Bounds {
  const characters = postMaxLength(ctx)
  return { characters, bytes: Math.min(20 * characters, MAX_TEXT_BYTES) }
}

export const Limits = z
  .object({
    postLength: z.int().openapi({ description: 'Characters, counted as grapheme clusters' }),
    postBytes: z.int().openapi({ description: 'Bytes of the text in UTF-8' }),
    postImages: z.int(),
  })
  .openapi('Limits')
type Limits = z.infer<typeof Limits>

export function getLimits(ctx: Ctx): Limits {
  const { characters, bytes } = postBounds(ctx)
  return { postLength: characters, postBytes: bytes, postImages: MAX_IMAGES }
}
