import { z } from '@hono/zod-openapi'
import { defineVariable } from '../../platform/config.ts'

/** For how many days a login can cancel the deletion of an account. */
export const deletionDays = defineVariable('DELETION_DAYS', z.coerce.number().int().min(1).default(7))
