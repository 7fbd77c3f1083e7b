import { z } from '@hono/zod-openapi'
import { defineVariable } from '../../platform/config.ts'

/** For so many minutes, a new account may not publish. 0 switches the rule off. */
export const newAccountMinutes = defineVariable(
  'NEW_ACCOUNT_MINUTES',
  z.coerce.number().int().min(0).max(43_200).default(0),
)

const groupMinutes = defineVariable('GROUP_ACCOUNT_MINUTES', z.coerce.number().int().min(0).max(43_200).optional())

/** How many minutes pass before a new account may start groups. */
export const groupAccountMinutes = ({ env }: { env: Env }): number =>
  groupMinutes({ env }) ?? (env.ENVIRONMENT === 'development' ? 0 : 1_440)
