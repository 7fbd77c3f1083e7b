import { evictDurableObject } from 'cloudflare:test'
import { Webhook, WebhookVerificationError } from 'standardwebhooks'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { editPost } from '../../../src/services/posts/edits.ts'
import { likePost, unlikePost } from '../../../src/services/posts/likes.ts'
import { createPost, deletePost } from '../../../src/services/posts/posts.ts'
import { replayWebhookDelivery } from '../../../src/services/webhooks/deliveries.ts'
import { pauseWebhook, renewWebhookSecret, resumeWebhook } from '../../../src/services/webhooks/webhooks.ts'
import { accountsOn, bulkIds, handleOf, markSuspended } from '../../support/actors.ts'
import { movableClock } from '../../support/clock.ts'
import { queues } from '../../support/manual-queues.ts'
import { draft, publishedId } from '../../support/posting.ts'
import { asUser, failure } from '../../support/viewers.ts'
import {
  alarmOf,
  deliveriesOf,
  deliveryOf,
  passAll,
  receivers,
  webhookObject,
  webhookOf,
} from '../../support/webhooks.ts'

const HOUR_MS = 3_600_000
const clock = movableClock()
clock.advance(30 * HOUR_MS) // alarms are then far in the future of the real clock, and run only when a test runs them

let net: ReturnType<typeof receivers>
let ada: Id
let bob: Id
beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  net = receivers()
  ;[ada, bob] = await accountsOn(0, 1)
})
afterEach(() => vi.restoreAllMocks())

const statesOf = async (webhookId: Id) =>
  (await deliveriesOf(ada, webhookId)).map(({ type, state }) => `${type} ${state}`)

test('the stock library verifies a message, which has the ids of the event and nothing else', async () => {
  const { id, secret, host } = await webhookOf(ada)
  const postId = await publishedId(ada)
  await likePost(asUser(bob), { postId })
  await queues.deliver()
  await passAll(id)
  const messages = net.received(host)
  const payloads = messages.map(({ body, headers }) => new Webhook(secret).verify(body, headers))
  expect(payloads).toEqual([
    { type: 'post.published', timestamp: expect.stringMatching(/^20.*Z$/), data: { postId } },
    { type: 'post.liked', timestamp: expect.stringMatching(/^20.*Z$/), data: { postId, actorId: bob } },
  ])
  expect(messages[1]!.headers).toMatchObject({
    'content-type': 'application/json',
    'user-agent': 'SocialConnect-Webhooks/1',
    'webhook-id': expect.stringMatching(/^evt_\d+$/),
  })
  expect(await statesOf(id)).toEqual(['post.liked delivered', 'post.published delivered'])
  const other = await webhookOf(bob)
  const { body, headers } = messages[0]!
  expect(() => new Webhook(other.secret).verify(body, headers)).toThrow(WebhookVerificationError)
  expect(() => new Webhook(secret).verify(body.replace('published', 'deleted'), headers)).toThrow(
    WebhookVerificationError,
  )
})

test('ten deliveries of an event make one message, and events that nobody asked for make none', async () => {
  const { id, host } = await webhookOf(ada, ['account.followed'])
  await publishedId(ada)
  await followAccount(asUser(bob), { accountId: ada })
  const messages = await queues.delayMessages({ run: true })
  queues.sent.push(...messages)
  await queues.deliver({ times: 10 })
  await passAll(id)
  queues.sent.push(...messages)
  await queues.deliver()
  await passAll(id)
  expect(net.received(host).map(({ body }) => JSON.parse(body).data)).toEqual([{ actorId: bob }])
})

test('comments, mentions and edits tell whom they concern once, and nobody of what they did themselves', async () => {
  const { id } = await webhookOf(ada)
  const root = await publishedId(ada)
  const comment = await createPost(asUser(bob), draft({ text: `hi @${handleOf(ada)}`, parentId: root }))
  await editPost(asUser(bob), { postId: comment.value.id, text: `hello @${handleOf(ada)}` })
  const mention = await createPost(asUser(bob), draft({ text: 'nobody yet' }))
  await editPost(asUser(bob), { postId: mention.value.id, text: `dear @${handleOf(ada)}` })
  await createPost(asUser(ada), draft({ text: 'my own comment', parentId: root }))
  await queues.deliver()
  await passAll(id)
  expect((await statesOf(id)).sort()).toEqual([
    'post.commented delivered',
    'post.mentioned delivered',
    'post.published delivered',
    'post.published delivered',
  ])
})

test('during a rotation both secrets verify, and a day later only the new one', async () => {
  const { id, secret, host } = await webhookOf(ada, ['account.followed'])
  const renewed = await renewWebhookSecret(asUser(ada), { webhookId: id })
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  await passAll(id)
  const [first] = net.received(host)
  for (const valid of [secret, renewed.secret]) new Webhook(valid).verify(first!.body, first!.headers)
  expect(first!.headers['webhook-signature']).toMatch(/^v1,[\w+/]+=* v1,[\w+/]+=*$/)
  clock.advance(24 * HOUR_MS + 1)
  const [eve] = await accountsOn(1)
  await followAccount(asUser(eve), { accountId: ada })
  await queues.deliver()
  await passAll(id)
  const { body, headers } = net.received(host)[1]!
  new Webhook(renewed.secret).verify(body, headers)
  expect(() => new Webhook(secret).verify(body, headers)).toThrow(WebhookVerificationError)
})

test('what was withdrawn or hidden before it was sent is not sent, and of acts of others there is no trace', async () => {
  const [eve, dan] = await accountsOn(1, 1)
  const { id, host } = await webhookOf(ada)
  const [liked, deleted] = [await publishedId(ada), await publishedId(ada)]
  await likePost(asUser(bob), { postId: liked })
  await unlikePost(asUser(bob), { postId: liked })
  await followAccount(asUser(bob), { accountId: ada })
  await unfollowAccount(asUser(bob), { accountId: ada })
  await likePost(asUser(eve), { postId: liked })
  await likePost(asUser(dan), { postId: liked })
  await deletePost(asUser(ada), { postId: deleted })
  await queues.deliver()
  await blockAccount(asUser(ada), { accountId: eve })
  await markSuspended(dan)
  await passAll(id)
  expect((await statesOf(id)).sort()).toEqual([
    'post.deleted delivered',
    'post.published delivered',
    'post.published dropped',
  ])
  expect(net.received(host)).toHaveLength(2)
  for (const { id: deliveryId, state } of await deliveriesOf(ada, id)) {
    if (state === 'dropped') expect(await deliveryOf(ada, deliveryId)).toMatchObject({ payload: null, log: [] })
  }
})

test('nothing is sent for a suspended owner', async () => {
  const { id, host } = await webhookOf(ada)
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  await markSuspended(ada)
  await passAll(id)
  expect([await statesOf(id), net.received(host)]).toEqual([[], []])
})

test('an object that is evicted between the event and the sending loses nothing', async () => {
  const { id, host } = await webhookOf(ada, ['account.followed'])
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  await evictDurableObject(webhookObject(id))
  expect(await alarmOf(id)).not.toBeNull()
  await passAll(id)
  expect(net.received(host)).toHaveLength(1)
})

test('a paused webhook is told nothing, and what waited is sent when it is resumed', async () => {
  const { id, host } = await webhookOf(ada)
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  await pauseWebhook(asUser(ada), { webhookId: id })
  await publishedId(ada)
  await queues.deliver()
  await passAll(id)
  expect([await statesOf(id), net.received(host).length]).toEqual([[], 0])
  await resumeWebhook(asUser(ada), { webhookId: id })
  await passAll(id)
  expect([await statesOf(id), net.received(host).length]).toEqual([['account.followed delivered'], 1])
})

test('a block hides from the log what the blocked account does, while it waits and afterwards', async () => {
  const { id } = await webhookOf(ada)
  await blockAccount(asUser(bob), { accountId: ada })
  await createPost(asUser(bob), draft({ text: `dear @${handleOf(ada)}` }))
  await queues.deliver()
  expect(await deliveriesOf(ada, id)).toEqual([])
  await passAll(id)
  expect(await deliveriesOf(ada, id)).toEqual([])
})

test('what was sent once and is hidden later is dropped by its replay, without its ids', async () => {
  const { id, host } = await webhookOf(ada, ['account.followed'])
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  await passAll(id)
  const [delivery] = await deliveriesOf(ada, id)
  await blockAccount(asUser(ada), { accountId: bob })
  await replayWebhookDelivery(asUser(ada), { deliveryId: delivery!.id })
  await passAll(id)
  expect(await deliveryOf(ada, delivery!.id)).toMatchObject({ state: 'dropped', payload: null, answer: null })
  expect(net.received(host)).toHaveLength(1)
  await expect(replayWebhookDelivery(asUser(ada), { deliveryId: delivery!.id })).rejects.toThrow(failure('conflict'))
})

test('secrets that are renewed several times within a day all verify', async () => {
  const { id, secret, host } = await webhookOf(ada, ['account.followed'])
  const renewed = []
  for (let n = 0; n < 3; n++) renewed.push((await renewWebhookSecret(asUser(ada), { webhookId: id })).secret)
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  await passAll(id)
  const { body, headers } = net.received(host)[0]!
  for (const valid of [secret, ...renewed]) new Webhook(valid).verify(body, headers)
  const both = [1, 2].map(() => renewWebhookSecret(asUser(ada), { webhookId: id }))
  expect((await Promise.allSettled(both)).some(({ status }) => status === 'fulfilled')).toBe(true)
})

test('each round reads the primary again, so a block that is made during a pass holds', async () => {
  const { id, host } = await webhookOf(ada, ['post.liked'])
  const postId = await publishedId(ada)
  const actors = await bulkIds(8)
  for (const actor of actors) await likePost(asUser(actor), { postId })
  await queues.deliver()
  net.answer(host, async () => {
    for (const actor of actors.slice(4)) await blockAccount(asUser(ada), { accountId: actor })
    return new Response(null, { status: 204 })
  })
  await passAll(id)
  expect(net.received(host)).toHaveLength(4)
})
