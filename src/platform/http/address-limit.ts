import type { Context } from 'hono'
import { addressLimit, spend } from '../security/rate-limit.ts'
import type { AppEnv } from './app-env.ts'

/**
 * Counts a request against the limit of its address, unless it was counted before. A request to an operation
 * with a valid token counts for its account instead, so a flood of forged tokens from its address does not block it.
 */
export async function countByAddress(c: Context<AppEnv>): Promise<void> {
  const { ctx, isCounted } = c.var
  if (isCounted || !ctx) return // without a valid configuration there is no context, and nothing can be counted
  c.set('isCounted', true)
  const { headers } = await spend(ctx, addressLimit, ctx.clientIp)
  c.set('allowance', headers)
}
