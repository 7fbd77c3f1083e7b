import { z } from '@hono/zod-openapi'
import type { UserCtx } from '../../platform/context.ts'
import { firstIdAt, type Id, isoTimeOf, newId, shardOf, toId } from '../../platform/data/ids.ts'
import { loadPage, type Page, PageQuery, seek } from '../../platform/data/page.ts'
import { Failure, invalid, notFound } from '../../platform/failures.ts'
import { spend } from '../../platform/security/rate-limit.ts'
import { handTo, readDeliveries, readDelivery, replay } from './endpoint.client.ts'
import type { DeliveryFacts, StoredDelivery } from './facts.ts'
import { DeliveryState } from './kinds.ts'
import { webhookReplayLimit, webhookSendLimit } from './limits.ts'
import { messageOf } from './messages.ts'
import { webhookEndpoints } from './tables.ts'
import { DeliveryId, type ReplayCount, type WebhookDelivery, type WebhookDeliveryDetails } from './views.ts'
import { requireOwn } from './webhooks.ts'

export const WantedDeliveries = PageQuery.extend({
  state: DeliveryState.optional().openapi({ description: 'Only deliveries in this state' }),
})
type Wanted = { webhookId: Id } & z.infer<typeof WantedDeliveries>

export const DeliveryPath = z.object({ deliveryId: DeliveryId })
type DeliveryPath = z.infer<typeof DeliveryPath>

export const ReplayRange = z
  .strictObject({ since: z.iso.datetime({ offset: true }).max(40), until: z.iso.datetime({ offset: true }).max(40) })
  .openapi('WebhookReplay')
type ReplayRange = z.infer<typeof ReplayRange>

export async function listWebhookDeliveries(
  ctx: UserCtx,
  { webhookId, state, ...query }: Wanted,
): Promise<Page<WebhookDelivery>> {
  await requireOwn(ctx, webhookId)
  const from = await seek(ctx, query, `${state} deliveries of ${webhookId}`, webhookEndpoints.id)
  const { hasCursor, backward } = from.variant
  const cursor = hasCursor ? from.values.cursor : null
  const stored = await readDeliveries(ctx, webhookId, { cursor, backward, limit: from.limit, state })
  const rows = stored.map((row) => ({ id: toId(row.id), row }))
  return loadPage(ctx, from, rows, async (kept) => new Map(kept.map(({ id, row }) => [id, viewOf(webhookId, row)])))
}

export async function getWebhookDelivery(ctx: UserCtx, { deliveryId }: DeliveryPath): Promise<WebhookDeliveryDetails> {
  const { webhookId, id } = partsOf(deliveryId)
  await requireOwn(ctx, webhookId)
  return detailsOf(webhookId, await requireDelivery(ctx, webhookId, id))
}

/** Sends a message of the type `webhook.test`, like an event. */
export async function testWebhook(ctx: UserCtx, { webhookId }: { webhookId: Id }): Promise<WebhookDelivery> {
  const accountId = ctx.viewer.id
  await requireActive(ctx, webhookId)
  await spend(ctx, webhookSendLimit, accountId)
  const id = newId(shardOf(accountId), ctx.now())
  await handTo(ctx, { webhookId, accountId }, [messageOf(id, 'webhook.test', { webhookId })])
  return viewOf(webhookId, await requireDelivery(ctx, webhookId, id))
}

/** Sends a finished delivery again, with the same `webhook-id`. */
export async function replayWebhookDelivery(ctx: UserCtx, { deliveryId }: DeliveryPath): Promise<WebhookDelivery> {
  const { webhookId, id } = partsOf(deliveryId)
  await requireActive(ctx, webhookId)
  const { state } = await requireDelivery(ctx, webhookId, id)
  if (state === 'dropped') throw new Failure('conflict', 'What the message told of was withdrawn or hidden')
  await spend(ctx, webhookSendLimit, ctx.viewer.id)
  await replay(ctx, webhookId, Number(id), Number(id) + 1)
  return viewOf(webhookId, await requireDelivery(ctx, webhookId, id))
}

export async function replayWebhookDeliveries(
  ctx: UserCtx,
  { webhookId, since, until }: { webhookId: Id } & ReplayRange,
): Promise<z.infer<typeof ReplayCount>> {
  const [from, before] = [Date.parse(since), Date.parse(until)]
  if (before <= from) throw invalid('until', 'must be later than since')
  await requireActive(ctx, webhookId)
  await spend(ctx, webhookReplayLimit, ctx.viewer.id)
  return { count: await replay(ctx, webhookId, Number(firstIdAt(from)), Number(firstIdAt(before))) }
}

async function requireActive(ctx: UserCtx, webhookId: Id): Promise<void> {
  const { state } = await requireOwn(ctx, webhookId)
  if (state !== 'active') throw new Failure('conflict', 'The webhook is paused: resume it first')
}

async function requireDelivery(ctx: UserCtx, webhookId: Id, id: Id): Promise<DeliveryFacts> {
  const delivery = await readDelivery(ctx, webhookId, id)
  if (!delivery) throw notFound()
  return delivery
}

function partsOf(deliveryId: string): { webhookId: Id; id: Id } {
  const [webhookId, id] = deliveryId.split('.').map((part) => toId(Number(part)))
  if (!webhookId || !id) throw notFound()
  return { webhookId, id }
}

function viewOf(webhookId: Id, { id, type, state, attempts, nextAt, lastStatus }: StoredDelivery): WebhookDelivery {
  return {
    id: `${webhookId}.${id}`,
    webhookId,
    type,
    state,
    attempts,
    nextAttemptAt: nextAt === null ? null : new Date(nextAt).toISOString(),
    lastStatus,
    createdAt: isoTimeOf(toId(id)),
  }
}

/** Before the first attempt, nobody has checked yet whether the owner may know the ids in the body. */
function detailsOf(webhookId: Id, delivery: DeliveryFacts): WebhookDeliveryDetails {
  const { body, answer, all } = delivery
  const log = all.map(({ number, at, durationMs, status, error }) => {
    return { number, startedAt: new Date(at).toISOString(), durationMs, status, error }
  })
  return { ...viewOf(webhookId, delivery), payload: all.length > 0 && body !== '' ? body : null, log, answer }
}
