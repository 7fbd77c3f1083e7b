import { z } from '@hono/zod-openapi'
import { defineVariable } from '../../platform/config.ts'

/** Whether apps may register themselves (RFC 7591). */
export const dynamicRegistration = defineVariable('DYNAMIC_REGISTRATION', z.enum(['on', 'off']).default('off'))
