import { z } from '@hono/zod-openapi'
import { defineVariable } from '../../platform/config.ts'

/** How long a login still cancels the deletion of an account. */
export const deletionDays = defineVariable('DELETION_DAYS', z.coerce.number().int().min(1).default(7))
