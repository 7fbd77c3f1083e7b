import { z } from '@hono/zod-openapi'
import { defineVariable } from '../../platform/config.ts'

/** Younger accounts alone put nothing into the lists of trends. A new network needs 0, or has no trends in its first week. */
export const newcomerDays = defineVariable('TREND_NEWCOMER_DAYS', z.coerce.number().int().min(0).max(30).default(7))
