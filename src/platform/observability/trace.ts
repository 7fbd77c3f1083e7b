import { z } from '@hono/zod-openapi'

/** The request that caused some work: on every log line from the request through queues to objects. */
export const Trace = z.object({ requestId: z.string().optional(), traceId: z.string().optional() })
export type Trace = z.infer<typeof Trace>
