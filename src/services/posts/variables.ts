import { z } from '@hono/zod-openapi'
import { defineVariable } from '../../platform/config.ts'

/** Posts and comments that an account may create in a day (UTC). */
export const postsPerDay = defineVariable('POSTS_PER_DAY', z.coerce.number().int().min(1).default(1_000))
/** In grapheme clusters. */
export const postMaxLength = defineVariable('POST_MAX_LENGTH', z.coerce.number().int().min(1).max(10_000).default(500))
