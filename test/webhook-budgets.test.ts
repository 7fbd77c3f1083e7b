import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { UserCtx } from '../src/platform/context.ts'
import { type Id, newId, toId } from '../src/platform/data/ids.ts'
import {
  getWebhookDelivery,
  listWebhookDeliveries,
  replayWebhookDeliveries,
  replayWebhookDelivery,
  testWebhook,
} from '../src/services/webhooks/deliveries.ts'
import { handOver } from '../src/services/webhooks/handing-over.ts'
import { withWebhooks } from '../src/services/webhooks/subscribers.ts'
import { webhookEvents } from '../src/services/webhooks/tables.ts'
import { readEndpoint } from '../src/services/webhooks/visibility.ts'
import {
  createWebhook,
  deleteWebhook,
  editWebhook,
  getWebhook,
  listWebhooks,
  pauseWebhook,
  renewWebhookSecret,
  resumeWebhook,
} from '../src/services/webhooks/webhooks.ts'
import { accountsOn, bulkIds } from './support/actors.ts'
import { type Budget, costOf, expectWithin } from './support/budgets.ts'
import { queues } from './support/manual-queues.ts'
import { publishedId } from './support/posting.ts'
import { deliveriesOf, passAll, receivers, webhookOf } from './support/webhooks.ts'

// Checks the budgets in docs/architecture.md.

let ada: Id
let bob: Id
beforeEach(async () => {
  receivers()
  ;[ada, bob] = await accountsOn(0, 1)
})
afterEach(() => vi.restoreAllMocks())

const within = async (name: string, budget: Budget, run: (ctx: UserCtx) => Promise<unknown>) =>
  expectWithin(name, await costOf(ada, run), budget)

test('webhooks are managed with one trip, and their deliveries with one more call', async () => {
  const { id: webhookId } = await webhookOf(ada)
  const write = { trips: 1, rowsRead: 12, rowsWritten: 4, bucketCalls: 3, queueMessages: 1 }
  const creation = { url: 'https://example.org/', events: [...webhookEvents], description: '' }
  await within('create', write, (ctx) => createWebhook(ctx, creation))
  await within('edit', write, (ctx) => editWebhook(ctx, { webhookId, description: 'b' }))
  await within('renew', { ...write, trips: 2 }, (ctx) => renewWebhookSecret(ctx, { webhookId }))
  await within('list', { trips: 1, rowsRead: 3, bucketCalls: 1 }, listWebhooks)
  await within('get', { trips: 1, rowsRead: 1, bucketCalls: 1 }, (ctx) => getWebhook(ctx, { webhookId }))
  await within('pause', write, (ctx) => pauseWebhook(ctx, { webhookId }))
  await within('resume', { ...write, objectCalls: 1 }, (ctx) => resumeWebhook(ctx, { webhookId }))
  const address = { ...write, trips: 2, rowsRead: 14, objectCalls: 1 }
  await within('edit the address', address, (ctx) => editWebhook(ctx, { webhookId, url: 'https://example.net/' }))
  const send = { trips: 1, rowsRead: 1, objectCalls: 3 }
  await within('test', send, (ctx) => testWebhook(ctx, { webhookId }))
  const [delivery] = await deliveriesOf(ada, webhookId)
  const deliveryId = delivery!.id
  await within('replay', { ...send, objectCalls: 4 }, (ctx) => replayWebhookDelivery(ctx, { deliveryId }))
  const span = { webhookId, since: '2026-01-01T00:00:00Z', until: '2026-02-01T00:00:00Z' }
  await within('replay a span', send, (ctx) => replayWebhookDeliveries(ctx, span))
  const read = { trips: 1, rowsRead: 1, objectCalls: 1 }
  await within('deliveries', read, (ctx) => listWebhookDeliveries(ctx, { webhookId, limit: 20 }))
  await within('delivery', read, (ctx) => getWebhookDelivery(ctx, { deliveryId }))
  await within('delete', write, (ctx) => deleteWebhook(ctx, { webhookId }))
})

const publication = (authorId: Id, mentioned: Id[] = []) => ({
  id: newId(0, Date.now()),
  type: 'post.published',
  data: { postId: newId(0, Date.now()), authorId, rootId: null, parentId: null, parentAuthorId: null, mentioned },
})

test('events of people without webhooks cost no trip to an isolate that knows who has some', async () => {
  const [one, ...others] = await bulkIds(50)
  const events = Array.from({ length: 5 }, () => publication(one!, others))
  const unrelated = { id: toId(1), type: 'account.blocked', data: { accountId: ada, otherId: bob } }
  await within('of no webhook', {}, (ctx) => handOver(ctx, [unrelated]))
  // Who has webhooks is read at most every two seconds for each shard.
  await within('who has webhooks', { trips: 2, rowsRead: 2 * 51 }, (ctx) => withWebhooks(ctx, [one!, ...others]))
  await within('five events', {}, (ctx) => handOver(ctx, events))
})

test('a webhook costs its row and one call more, whatever the number of its events in a batch', async () => {
  await webhookOf(bob)
  const events = Array.from({ length: 5 }, () => publication(ada, [bob]))
  await within('who has webhooks', { trips: 2, rowsRead: 2 * 51 }, (ctx) => withWebhooks(ctx, [ada, bob]))
  await within('five events', { trips: 1, rowsRead: 1, objectCalls: 1 }, (ctx) => handOver(ctx, events))
})

test('sending a round reads the shard of the owner once, and each shard of the posts and actors twice at most', async () => {
  const { id: webhookId } = await webhookOf(ada)
  const postId = await publishedId(ada)
  const actors = await bulkIds(4)
  const tellings = actors.map((actorId) => ({
    id: newId(0, 1),
    type: 'post.liked' as const,
    data: { postId, actorId },
  }))
  const read = (ctx: UserCtx) => readEndpoint(ctx, { webhookId, accountId: ada }, tellings)
  await within('a round', { trips: 4, rowsRead: 40 }, read)
  await queues.deliver()
  expect(await passAll(webhookId)).toBeLessThanOrEqual(2)
})
