import { and, eq, type SQL } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { openSealed } from './sealed.ts'
import { webhookEndpoints } from './tables.ts'

export function isOwn(accountId: Id, webhookId: Id): SQL | undefined {
  return and(eq(webhookEndpoints.accountId, accountId), eq(webhookEndpoints.id, webhookId))
}

/** Null if the webhook was deleted. */
export async function urlOf(ctx: SystemCtx, accountId: Id, webhookId: Id): Promise<string | null> {
  const { url } = webhookEndpoints
  const [row] = await ctx.db
    .shardOf(accountId)
    .select({ url })
    .from(webhookEndpoints)
    .where(isOwn(accountId, webhookId))
  const [opened = null] = await openSealed(ctx, accountId, row ? [row.url] : [])
  return opened
}
