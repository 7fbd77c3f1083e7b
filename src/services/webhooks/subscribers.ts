import type { SystemCtx } from '../../platform/context.ts'
import { type Id, shardOf } from '../../platform/data/ids.ts'
import { webhookEndpoints } from './tables.ts'

/** How late another isolate may learn of a new webhook. */
const KNOWN_MS = 2_000
/** Where a shard has more webhooks than this, they are read for each batch of events. */
const MOST = 50

/** The accounts with webhooks; null if they are too many. */
type Known = { readAt: number; accountIds: ReadonlySet<Id> | null }
const known = new Map<number, Known>()
let created = 0

/** Those of the accounts that may have webhooks. Most events concern none, and then cost no trip. */
export async function withWebhooks(ctx: SystemCtx, ids: readonly Id[]): Promise<Id[]> {
  const shards = [...new Set(ids.map(shardOf))]
  const read = new Map(
    await Promise.all(shards.map(async (shard) => [shard, await subscribersOf(ctx, shard)] as const)),
  )
  return ids.filter((id) => read.get(shardOf(id))?.has(id) ?? true)
}

async function subscribersOf(ctx: SystemCtx, shard: number): Promise<ReadonlySet<Id> | null> {
  const readAt = ctx.now()
  const last = known.get(shard)
  if (last && Math.abs(readAt - last.readAt) < KNOWN_MS) return last.accountIds
  const { accountId } = webhookEndpoints
  const before = created
  const rows = await ctx.db
    .shard(shard)
    .select({ accountId })
    .from(webhookEndpoints)
    .limit(MOST + 1)
  const accountIds = rows.length > MOST ? null : new Set(rows.map((row) => row.accountId))
  if (created === before) known.set(shard, { readAt, accountIds })
  return accountIds
}

/** After this isolate has created a webhook. */
export function forgetSubscribers(accountId: Id): void {
  created += 1 // a read that is under way may not have seen it
  known.delete(shardOf(accountId))
}
