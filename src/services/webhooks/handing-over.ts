import { and, eq } from 'drizzle-orm'
import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { fromShards, idIn, settleConcurrently } from '../../platform/data/shards.ts'
import type { Happened } from '../../platform/events/events.ts'
import { handTo } from './endpoint.client.ts'
import { interestsIn } from './interests.ts'
import { messageOf } from './messages.ts'
import { withWebhooks } from './subscribers.ts'
import { webhookEndpoints } from './tables.ts'

/** Gives the endpoints of the people whom the events concern their ids. Each endpoint stores an event once. */
export async function handOver(ctx: SystemCtx, events: readonly Happened[]): Promise<void> {
  const interests = Map.groupBy(events.flatMap(interestsIn), ({ accountId }) => accountId)
  const endpoints = await endpointsOf(ctx, await withWebhooks(ctx, [...interests.keys()]))
  await settleConcurrently(endpoints, async ({ accountId, id: webhookId, events: wanted }) => {
    const own = (interests.get(accountId) ?? []).filter(({ type }) => wanted.includes(type))
    const messages = own.map(({ eventId, type, data }) => messageOf(eventId, type, data))
    if (messages.length > 0) await handTo(ctx, { webhookId, accountId }, messages)
  })
}

/** One query per shard, which reads no row of people without endpoints. */
function endpointsOf(ctx: SystemCtx, accountIds: readonly Id[]) {
  const { accountId, id, events, state } = webhookEndpoints
  return fromShards(ctx.db, accountIds, (db, group) =>
    db
      .select({ accountId, id, events })
      .from(webhookEndpoints)
      .where(and(idIn(accountId, group), eq(state, 'active'))),
  )
}
