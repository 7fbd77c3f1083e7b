import { z } from '@hono/zod-openapi'
import { defineVariable } from '../../platform/config.ts'

/** In grapheme clusters. */
export const postMaxLength = defineVariable('POST_MAX_LENGTH', z.coerce.number().int().min(1).max(10_000).default(500))
