import type { SystemCtx } from '../../platform/context.ts'
import type { Id } from '../../platform/data/ids.ts'
import { withTimeout } from '../../platform/timeout.ts'
import type { DeliveryFacts, Owner, PageOf, StoredDelivery } from './facts.ts'
import type { Message } from './messages.ts'

const TIMEOUT_MS = 5_000

const endpoint = (ctx: SystemCtx, webhookId: Id) => ctx.env.WEBHOOK.getByName(webhookId)

/** When this returns, the messages are stored, each of them once. Throws if the object does not respond. */
export async function handTo(ctx: SystemCtx, owner: Owner, messages: readonly Message[]): Promise<void> {
  await withTimeout(endpoint(ctx, owner.webhookId).accept(owner, messages), TIMEOUT_MS)
}

export async function readDeliveries(ctx: SystemCtx, webhookId: Id, wanted: PageOf): Promise<StoredDelivery[]> {
  return endpoint(ctx, webhookId).page(wanted)
}

export async function readDelivery(ctx: SystemCtx, webhookId: Id, id: Id): Promise<DeliveryFacts | null> {
  return endpoint(ctx, webhookId).read(id)
}

/** Sends the finished deliveries with ids from `from` until before `before` again. Returns how many. */
export async function replay(ctx: SystemCtx, webhookId: Id, from: number, before: number): Promise<number> {
  return endpoint(ctx, webhookId).replay(from, before)
}

/** After the endpoint was resumed: sends what waits, without the delays that failures have left. */
export async function wake(ctx: SystemCtx, webhookId: Id): Promise<void> {
  await endpoint(ctx, webhookId).wake()
}

/** Deletes everything that the object stores. */
export async function clear(ctx: SystemCtx, webhookId: Id): Promise<void> {
  await endpoint(ctx, webhookId).clear()
}
