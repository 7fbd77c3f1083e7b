import type { RequestIdVariables } from 'hono/request-id'
import type { RequestCtx } from '../security/admit.ts'

/** Where the answer to a request is kept, and since when it is read, epoch ms. */
export type Place = { key: string; seconds: number; at: number }

export type AppEnv = {
  Bindings: Env
  Variables: RequestIdVariables & {
    ctx: RequestCtx
    /** The rate limit headers of the response. */
    allowance?: Record<string, string>
    /** Whether the request was counted against a rate limit. */
    isCounted?: boolean
    /** The validated parts of the request, merged. */
    input?: Record<string, unknown>
    /** Set if the answer is for everybody, and nobody has read it in the last seconds. */
    place?: Place
  }
}
