import type { RequestIdVariables } from 'hono/request-id'
import type { RequestCtx } from '../security/admit.ts'

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
  }
}
