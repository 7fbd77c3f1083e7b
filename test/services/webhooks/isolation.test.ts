import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Id, newId } from '../../../src/platform/data/ids.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { listWebhookDeliveries } from '../../../src/services/webhooks/deliveries.ts'
import { handTo } from '../../../src/services/webhooks/endpoint.client.ts'
import { messageOf } from '../../../src/services/webhooks/messages.ts'
import { withWebhooks } from '../../../src/services/webhooks/subscribers.ts'
import { webhookSubscriptions } from '../../../src/services/webhooks/subscriptions.ts'
import { getWebhook } from '../../../src/services/webhooks/webhooks.ts'
import { accountsOn } from '../../support/actors.ts'
import { movableClock } from '../../support/clock.ts'
import { count, insertRows, shards } from '../../support/databases.ts'
import { deliver } from '../../support/events.ts'
import { queues } from '../../support/manual-queues.ts'
import { until } from '../../support/until.ts'
import { asUser } from '../../support/viewers.ts'
import {
  alarmOf,
  answerWith,
  mailsAbout,
  passAll,
  receivers,
  sendTests,
  webhookObject,
  webhookOf,
} from '../../support/webhooks.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const clock = movableClock()
clock.advance(30 * HOUR_MS)

let net: ReturnType<typeof receivers>
let ada: Id
beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  net = receivers()
  vi.spyOn(env.DELIVERIES, 'sendBatch').mockResolvedValue(undefined as never)
  ;[ada] = await accountsOn(0)
})
afterEach(() => vi.restoreAllMocks())

const stateOf = async (webhookId: Id) => (await getWebhook(asUser(ada), { webhookId })).state

const send = (webhookId: Id, count?: number) => sendTests(ada, webhookId, count)

/** Moves the clock to the next alarm, and runs it. Returns the time until then, ms. */
async function untilNext(webhookId: Id): Promise<number> {
  const wait = ((await alarmOf(webhookId)) ?? Date.now()) - Date.now()
  clock.advance(Math.max(wait, 0))
  await passAll(webhookId)
  return wait
}

test('a message that fails its last attempt is listed, however many newer ones were delivered meanwhile', async () => {
  const { id, host } = await webhookOf(ada)
  net.answer(host, answerWith(500))
  await send(id)
  await passAll(id)
  await runInDurableObject(webhookObject(id), (_, { storage }) => {
    const { old } = storage.sql.exec<{ old: number }>('select id as old from deliveries').one()
    storage.sql.exec('update deliveries set attempts = 9')
    for (let n = 1; n <= 1_100; n++)
      storage.sql.exec(
        `insert into deliveries values (?, 'webhook.test', '', 'delivered', 1, 1, null, ?, 200, null)`,
        old + n,
        Date.now(),
      )
  })
  await untilNext(id)
  const { items } = await listWebhookDeliveries(asUser(ada), { webhookId: id, state: 'failed', limit: 50 })
  expect(items).toHaveLength(1)
})

test('a repeated event whose delivery was deleted from the log is not sent again', async () => {
  const { id: webhookId, host } = await webhookOf(ada)
  const messages = [messageOf(newId(0, Date.now()), 'webhook.test', { webhookId })]
  await handTo(asUser(ada), { webhookId, accountId: ada }, messages)
  await passAll(webhookId)
  await runInDurableObject(webhookObject(webhookId), (_, { storage }) => {
    const { id } = storage.sql.exec<{ id: number }>('select id from deliveries').one()
    for (let n = 1; n <= 1_000; n++)
      storage.sql.exec(
        `insert into deliveries values (?, 'webhook.test', '', 'delivered', 1, 1, null, ?, 200, null)`,
        id + n,
        Date.now() + n,
      )
  })
  await send(webhookId)
  await passAll(webhookId)
  await handTo(asUser(ada), { webhookId, accountId: ada }, messages)
  await passAll(webhookId)
  expect(net.received(host)).toHaveLength(2)
})

test('a message of a type that this version does not know stops no other one', async () => {
  const { id, host } = await webhookOf(ada)
  await send(id, 2)
  await runInDurableObject(webhookObject(id), (_, { storage }) => {
    storage.sql.exec(
      `update deliveries set body = '{"type":"newer","data":{}}' where id = (select min(id) from deliveries)`,
    )
  })
  await passAll(id)
  expect(net.received(host)).toHaveLength(1)
})

test('the mail about a paused webhook is queued once, also if its event is repeated', async () => {
  const { id: webhookId } = await webhookOf(ada)
  const { run } = webhookSubscriptions.find(({ name }) => name === 'mail-owner')!
  const eventId = newId(0, Date.now())
  for (let n = 0; n < 3; n++) await run(asUser(ada), { accountId: ada, webhookId, reason: 'failing' }, eventId)
  expect(await mailsAbout(ada, 'failing')).toHaveLength(1)
})

test('an isolate learns within two seconds of a webhook that another one creates, and remembers few of them', async () => {
  const [bob, eve] = await accountsOn(1, 1)
  const ctx = queues.context()
  const known = () => withWebhooks(ctx, [bob, eve])
  const row = { url: '', description: '', events: '[]', state: 'active', sealed_secret: '', former_secrets: '[]' }
  const insert = (ids: number[]) =>
    insertRows(
      shards[1],
      'webhook_endpoints',
      ids.map((id) => ({ account_id: Number(eve), id, ...row, created_at: 1 })),
    )
  clock.advance(2_000)
  expect(await known()).toEqual([])
  await insert([1])
  clock.advance(2_000)
  expect(await known()).toEqual([eve])
  await webhookOf(bob)
  expect(await known()).toEqual([bob, eve])
  await shards[1].prepare('delete from webhook_endpoints').run()
  clock.advance(2_000)
  await insert(Array.from({ length: 51 }, (_, i) => i + 1))
  expect(await known()).toEqual([bob, eve])
  await shards[1].prepare('delete from webhook_endpoints').run()
})

test('while the object is down, its events wait in the outbox, and reach other endpoints meanwhile', async () => {
  const [bob, eve] = await accountsOn(1, 1)
  const [mine, other] = [await webhookOf(ada), await webhookOf(eve)]
  await queues.deliver()
  await followAccount(asUser(bob), { accountId: ada })
  await followAccount(asUser(bob), { accountId: eve })
  const messages = await queues.delayMessages({ run: true })
  const { WEBHOOK } = env
  const down = { accept: () => Promise.reject(new Error('down')) }
  const broken = { getByName: (name: string) => (name === mine.id ? down : WEBHOOK.getByName(name)) }
  const bodies = messages.map(({ body }) => body)
  const bindings = Object.assign({ ...env }, { WEBHOOK: broken })
  expect(await deliver(bodies, bindings)).toHaveLength(2)
  await passAll(other.id)
  expect([net.received(other.host).length, net.received(mine.host).length]).toEqual([1, 0])
  const waiting = `select count(*) n from outbox where pending = '["hand-to-webhooks"]'`
  expect(await count(waiting)).toBe(2)
  clock.advance(10_000)
  queues.sent.push(...messages)
  await queues.deliver()
  await passAll(mine.id)
  expect([net.received(mine.host).length, await count(waiting)]).toEqual([1, 0])
})

test('a healthy endpoint is served completely before the first answer of hostile ones with a thousand deliveries', async () => {
  let release = () => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const answers = [
    () => Promise.reject(new Error('reset')),
    answerWith(301, { location: 'https://elsewhere.example.org/' }),
    answerWith(410),
    answerWith(429, { 'retry-after': '60' }),
    () => new Response('x'.repeat(1_000_000), { status: 500 }),
  ]
  const hostile: Awaited<ReturnType<typeof webhookOf>>[] = []
  for (const answer of answers) {
    const webhook = await webhookOf(ada)
    net.answer(webhook.host, () => held.then(answer))
    await send(webhook.id, 1_000)
    hostile.push(webhook)
  }
  const healthy = await webhookOf(ada)
  await send(healthy.id, 20)
  const sending = hostile.map(({ id }) => passAll(id))
  await until(() => hostile.every(({ host }) => net.received(host).length === 4))
  await passAll(healthy.id)
  expect(net.received(healthy.host)).toHaveLength(20)
  expect(hostile.map(({ host }) => net.received(host).length)).toEqual([4, 4, 4, 4, 4])
  release()
  await Promise.all(sending)
  for (const { id, host } of hostile) {
    expect(net.received(host).length).toBeLessThanOrEqual(8)
    if ((await stateOf(id)) === 'active') expect(await alarmOf(id)).toBeGreaterThan(Date.now())
  }
})
