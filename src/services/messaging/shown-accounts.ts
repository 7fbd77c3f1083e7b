import { and, eq } from 'drizzle-orm'
import type { SystemCtx, UserCtx } from '../../platform/context.ts'
import { atPrimary } from '../../platform/data/databases.ts'
import type { Id } from '../../platform/data/ids.ts'
import { idIn } from '../../platform/data/shards.ts'
import { blocks } from '../accounts/tables.ts'
import { type AccountSummary, loadAccountSummaries } from '../accounts/views.ts'

/** The accounts that the viewer sees in a group. Two of which one blocks the other do not see each other. */
export async function loadShown(ctx: UserCtx, ids: readonly Id[]): Promise<Map<Id, AccountSummary>> {
  const [known, blocked] = await Promise.all([loadAccountSummaries(ctx, ids), blockedAmong(ctx, ids)])
  return new Map([...known].filter(([id]) => !blocked.has(id)))
}

/** Those of these accounts that the viewer blocks, or that block it, as far as its shard knows. */
export async function blockedAmong(ctx: UserCtx, ids: readonly Id[]): Promise<Set<Id>> {
  const { id } = ctx.viewer
  const others = [...new Set(ids)].filter((other) => other !== id)
  if (others.length === 0) return new Set()
  const between = and(eq(blocks.accountId, id), idIn(blocks.otherId, others))
  const rows = await ctx.db.shardOf(id).select({ id: blocks.otherId }).from(blocks).where(between)
  return new Set(rows.map((row) => row.id))
}

/** Whether one of the two blocks the other, read where each block was stored first. */
export async function areApart(ctx: SystemCtx, one: Id, other: Id): Promise<boolean> {
  const db = atPrimary(ctx)
  const count = (id: Id, otherId: Id) =>
    db.shardOf(id).$count(blocks, and(eq(blocks.accountId, id), eq(blocks.otherId, otherId), eq(blocks.byMe, true)))
  return (await Promise.all([count(one, other), count(other, one)])).some((found) => found > 0)
}
