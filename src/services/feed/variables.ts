import { z } from '@hono/zod-openapi'
import { defineVariable } from '../../platform/config.ts'

/** The most followers per shard that get a live push of a post. */
export const onlinePushLimit = defineVariable('ONLINE_PUSH_LIMIT', z.coerce.number().int().min(0).default(5_000))
