import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Id, newId } from '../../../src/platform/data/ids.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { testWebhook } from '../../../src/services/webhooks/deliveries.ts'
import { handTo } from '../../../src/services/webhooks/endpoint.client.ts'
import { messageOf } from '../../../src/services/webhooks/messages.ts'
import { getWebhook, resumeWebhook } from '../../../src/services/webhooks/webhooks.ts'
import { accountsOn } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { movableClock } from '../../support/clock.ts'
import { count } from '../../support/databases.ts'
import { deliver } from '../../support/events.ts'
import { queues } from '../../support/manual-queues.ts'
import { drained } from '../../support/outboxes.ts'
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

const status = (code: number, headers?: Record<string, string>) => () => new Response('no', { status: code, headers })
/** The hosts that waiting mails to Ada name. The queue of mails is broken, so that none is sent. */
async function mailsAbout(kind: 'failing' | 'gone'): Promise<unknown[]> {
  const mails = env.DIRECTORY.prepare('select detail from mails where account_id = ? and kind = ?')
  const { results } = await mails.bind(Number(ada), `webhook-${kind}`).all<{ detail: string }>()
  return results.map(({ detail }) => detail)
}

const stops = async () => (await auditOf(ada)).filter(({ action }) => action === 'webhook-stopped').length
const stateOf = async (webhookId: Id) => (await getWebhook(asUser(ada), { webhookId })).state

async function send(webhookId: Id, messages = 1): Promise<void> {
  const ids = Array.from({ length: messages }, () => newId(0, Date.now()))
  const tests = ids.map((id) => messageOf(id, 'webhook.test', { webhookId }))
  await handTo(asUser(ada), { webhookId, accountId: ada }, tests)
}

/** Moves the clock to the next alarm, and runs it. Returns the time until then, ms. */
async function untilNext(webhookId: Id): Promise<number> {
  const wait = ((await alarmOf(webhookId)) ?? Date.now()) - Date.now()
  clock.advance(Math.max(wait, 0))
  await passAll(webhookId)
  return wait
}

test('ten attempts follow the schedule of Standard Webhooks with jitter, under one id and with new timestamps', async () => {
  const { id, host } = await webhookOf(ada)
  net.answer(host, status(500))
  await send(id)
  const waits = [await untilNext(id)]
  for (let n = 0; n < 9; n++) waits.push(await untilNext(id))
  const minutes = [0, 5 / 60, 5, 30, 120, 300, 600, 840, 1_200, 1_440]
  for (const [n, wait] of waits.entries()) {
    expect(wait).toBeGreaterThan(minutes[n]! * MINUTE_MS - 2_000)
    expect(wait).toBeLessThanOrEqual(minutes[n]! * 1.1 * MINUTE_MS + 1)
  }
  const [delivery] = await deliveriesOf(ada, id)
  expect(delivery).toMatchObject({ state: 'failed', attempts: 10, nextAttemptAt: null, lastStatus: 500 })
  const { log, answer } = await deliveryOf(ada, delivery!.id)
  expect([log.map(({ number }) => number), answer]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 'no'])
  const received = net.received(host)
  expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  expect(new Set(received.map(({ headers }) => headers['webhook-timestamp'])).size).toBe(10)
})

test('only 2xx is success: redirects are failures whose target is not called, and so is no answer', async () => {
  const elsewhere = 'elsewhere.example.org'
  for (const answer of [
    status(301, { location: `https://${elsewhere}/` }),
    status(404),
    () => Promise.reject(new Error()),
  ]) {
    const { id, host } = await webhookOf(ada)
    net.answer(host, answer)
    await send(id)
    await passAll(id)
    expect((await deliveriesOf(ada, id))[0]).toMatchObject({ state: 'waiting', attempts: 1 })
    net.answer(host, status(202))
    await untilNext(id)
    expect((await deliveriesOf(ada, id))[0]).toMatchObject({ state: 'delivered', attempts: 2, lastStatus: 202 })
  }
  expect(net.received(elsewhere)).toEqual([])
})

test('410 pauses the endpoint at once, with one mail and one event however often it happens', async () => {
  const { id, host } = await webhookOf(ada)
  net.answer(host, status(410))
  await send(id, 10)
  await passAll(id)
  expect([await stateOf(id), net.received(host).length]).toEqual(['gone', 4])
  await queues.deliver()
  await drained(id)
  expect([await mailsAbout('gone'), await stops()]).toEqual([[host], 1])
  await expect(testWebhook(asUser(ada), { webhookId: id })).rejects.toThrow(failure('conflict'))
  net.answer(host, status(200))
  await resumeWebhook(asUser(ada), { webhookId: id })
  await passAll(id)
  expect(new Set((await deliveriesOf(ada, id)).map(({ state }) => state))).toEqual(new Set(['delivered']))
})

test('429 and Retry-After hold the whole endpoint, for a day at most', async () => {
  for (const [header, held] of [
    ['120', 2 * MINUTE_MS],
    ['999999', 24 * HOUR_MS],
    [new Date(Date.now() + HOUR_MS).toUTCString(), HOUR_MS],
  ] as const) {
    const { id, host } = await webhookOf(ada)
    net.answer(host, status(429, { 'retry-after': header }))
    await send(id)
    await passAll(id)
    await send(id)
    const wait = (await alarmOf(id))! - Date.now()
    expect([wait > held - 5_000, wait <= held]).toEqual([true, true])
    expect(net.received(host)).toHaveLength(1)
  }
})

test('an endpoint that has only failed for five days is paused, and a success starts the count again', async () => {
  const { id, host } = await webhookOf(ada)
  const failUntil = async (hours: number) => {
    const end = Date.now() + hours * HOUR_MS
    while (Date.now() < end && (await stateOf(id)) === 'active') {
      await send(id)
      await passAll(id)
      clock.advance(12 * HOUR_MS)
    }
  }
  net.answer(host, status(500))
  await failUntil(108)
  expect(await stateOf(id)).toBe('active')
  net.answer(host, status(200))
  await untilNext(id)
  net.answer(host, status(500))
  await failUntil(108)
  expect(await stateOf(id)).toBe('active')
  await failUntil(48)
  expect(await stateOf(id)).toBe('failing')
  await queues.deliver()
  await drained(id)
  expect(await mailsAbout('failing')).toEqual([host])
})

test('the answer is kept up to 64 KiB, however long it is', async () => {
  const { id, host } = await webhookOf(ada)
  const pull = (controller: ReadableStreamDefaultController) => controller.enqueue(new Uint8Array(65_536).fill(97))
  net.answer(host, () => new Response(new ReadableStream({ pull })))
  await send(id)
  await passAll(id)
  const [delivery] = await deliveriesOf(ada, id)
  expect(delivery).toMatchObject({ state: 'delivered' })
  expect((await deliveryOf(ada, delivery!.id)).answer).toBe('a'.repeat(65_536))
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

test('hostile endpoints with a thousand deliveries delay a healthy one by nothing', async () => {
  const never = () => slowly()
  const answers = [
    never,
    status(301),
    status(410),
    status(429, { 'retry-after': '60' }),
    () => Promise.reject(new Error()),
  ]
  const timeout = AbortSignal.timeout.bind(AbortSignal)
  vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => timeout(50))
  const hostile = []
  for (const answer of answers) {
    const webhook = await webhookOf(ada)
    net.answer(webhook.host, answer)
    await send(webhook.id, 1_000)
    hostile.push(webhook)
  }
  const healthy = await webhookOf(ada)
  await send(healthy.id, 20)
  const sending = hostile.map(({ id }) => passAll(id))
  await passAll(healthy.id)
  expect(net.received(healthy.host)).toHaveLength(20)
  await Promise.all(sending)
  for (const { host } of hostile) expect(net.received(host).length).toBeLessThanOrEqual(8)
  for (const { id } of hostile) {
    const alarms = await runInDurableObject(webhookObject(id), (_, { storage }) => storage.getAlarm())
    if ((await stateOf(id)) === 'active') expect(alarms).toBeGreaterThan(Date.now())
  }
})

/** Ends as an aborted request does. */
const slowly = () => new Promise<Response>((_, reject) => setTimeout(() => reject(new Error('timeout')), 60))
