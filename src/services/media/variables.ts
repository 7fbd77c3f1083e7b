import { z } from '@hono/zod-openapi'
import { defineVariable } from '../../platform/config.ts'

export const imagesPerDay = defineVariable('IMAGES_PER_DAY', z.coerce.number().int().min(1).default(500))
export const imageMegabytesPerDay = defineVariable(
  'IMAGE_MEGABYTES_PER_DAY',
  z.coerce.number().int().min(1).default(1_000),
)
