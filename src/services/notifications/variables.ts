import { z } from '@hono/zod-openapi'
import { defineVariable } from '../../platform/config.ts'

export const notificationDays = defineVariable('NOTIFICATION_DAYS', z.coerce.number().int().min(1).default(90))
