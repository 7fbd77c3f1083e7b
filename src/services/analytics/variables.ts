import { z } from '@hono/zod-openapi'
import { defineVariable } from '../../platform/config.ts'

const days = (most: number, standard: number) => z.coerce.number().int().min(7).max(most).default(standard)

/** For so many days, the log of activities is kept. */
export const activityLogDays = defineVariable('ACTIVITY_LOG_DAYS', days(365, 30))
/** For so many days, roll-ups and sketches are kept. */
export const insightsDays = defineVariable('INSIGHTS_DAYS', days(800, 400))
