import { z } from '@hono/zod-openapi'

/** Ids of the request that caused the work, on all log lines of the request and the queue messages that follow it. */
export const Trace = z.object({ requestId: z.string().optional(), traceId: z.string().optional() })
export type Trace = z.infer<typeof Trace>
