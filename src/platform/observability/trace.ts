import { z } from '@hono/zod-openapi'

/** Ids of the request that caused some work. Queue messages carry them, so that all log lines of the work have them. */
export const Trace = z.object({ requestId: z.string().optional(), traceId: z.string().optional() })
export type Trace = z.infer<typeof Trace>
