import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { testWebhook } from '../../../src/services/webhooks/deliveries.ts'
import { getWebhook, resumeWebhook } from '../../../src/services/webhooks/webhooks.ts'
import { accountsOn } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { movableClock } from '../../support/clock.ts'
import { queues } from '../../support/manual-queues.ts'
import { drained } from '../../support/outboxes.ts'
import { asUser, failure } from '../../support/viewers.ts'
import {
  alarmOf,
  answerWith,
  deliveriesOf,
  deliveryOf,
  mailsAbout,
  passAll,
  receivers,
  sendTests,
  webhookOf,
} from '../../support/webhooks.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const clock = movableClock()
clock.advance(30 * HOUR_MS)
clock.stop()

let net: ReturnType<typeof receivers>
let ada: Id
beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  net = receivers()
  vi.spyOn(env.DELIVERIES, 'sendBatch').mockResolvedValue(undefined as never)
  ;[ada] = await accountsOn(0)
})
afterEach(() => vi.restoreAllMocks())

const stops = async () => (await auditOf(ada)).filter(({ action }) => action === 'webhook-stopped').length
const stateOf = async (webhookId: Id) => (await getWebhook(asUser(ada), { webhookId })).state

const send = (webhookId: Id, count?: number) => sendTests(ada, webhookId, count)

/** Moves the clock to the next alarm, and runs it. Returns the time until then, ms. */
async function untilNext(webhookId: Id): Promise<number> {
  const wait = ((await alarmOf(webhookId)) ?? Date.now()) - Date.now()
  clock.advance(Math.max(wait, 0))
  await passAll(webhookId)
  return wait
}

test('ten attempts follow the schedule of Standard Webhooks with jitter, under one id and with new timestamps', async () => {
  const { id, host } = await webhookOf(ada)
  net.answer(host, answerWith(500))
  await send(id)
  const waits = [await untilNext(id)]
  for (let n = 0; n < 9; n++) waits.push(await untilNext(id))
  const minutes = [0, 5 / 60, 5, 30, 120, 300, 600, 840, 1_200, 1_440]
  for (const [n, wait] of waits.entries()) {
    expect(wait).toBeGreaterThan(minutes[n]! * MINUTE_MS - 1)
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
    answerWith(301, { location: `https://${elsewhere}/` }),
    answerWith(404),
    () => Promise.reject(new Error()),
  ]) {
    const { id, host } = await webhookOf(ada)
    net.answer(host, answer)
    await send(id)
    await passAll(id)
    expect((await deliveriesOf(ada, id))[0]).toMatchObject({ state: 'waiting', attempts: 1 })
    net.answer(host, answerWith(202))
    await untilNext(id)
    expect((await deliveriesOf(ada, id))[0]).toMatchObject({ state: 'delivered', attempts: 2, lastStatus: 202 })
  }
  expect(net.received(elsewhere)).toEqual([])
})

test('410 pauses the endpoint at once, with one mail and one event however often it happens', async () => {
  const { id, host } = await webhookOf(ada)
  net.answer(host, answerWith(410))
  await send(id, 10)
  await passAll(id)
  expect([await stateOf(id), net.received(host).length]).toEqual(['gone', 4])
  await queues.deliver()
  await drained(id)
  expect([await mailsAbout(ada, 'gone'), await stops()]).toEqual([[host], 1])
  await expect(testWebhook(asUser(ada), { webhookId: id })).rejects.toThrow(failure('conflict'))
  net.answer(host, answerWith(200))
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
    net.answer(host, answerWith(429, { 'retry-after': header }))
    await send(id)
    await passAll(id)
    await send(id)
    const wait = (await alarmOf(id))! - Date.now()
    expect([wait > held - 5_000, wait <= held]).toEqual([true, true])
    expect(net.received(host)).toHaveLength(1)
  }
})

test('a success of the same round does not undo a Retry-After, and 429 is none of the ten attempts', async () => {
  const { id, host } = await webhookOf(ada)
  let answers = 0
  net.answer(host, async () => {
    answers += 1
    if (answers === 1) return answerWith(429, { 'retry-after': '600' })()
    await scheduler.wait(20)
    return new Response()
  })
  await send(id, 8)
  await passAll(id)
  const wait = (await alarmOf(id))! - Date.now()
  expect([net.received(host).length, wait > 9 * MINUTE_MS, wait <= 10 * MINUTE_MS]).toEqual([4, true, true])
  expect(
    (await deliveriesOf(ada, id)).filter(({ state }) => state === 'waiting').map(({ attempts }) => attempts),
  ).toEqual(Array(5).fill(0))
  await untilNext(id)
  expect(net.received(host)).toHaveLength(9)
})

test('failures with days of quiet between them are not days of failing', async () => {
  const { id, host } = await webhookOf(ada)
  net.answer(host, answerWith(500))
  await send(id)
  for (let n = 0; n < 10; n++) await untilNext(id)
  clock.advance(7 * 24 * HOUR_MS)
  await send(id)
  await passAll(id)
  expect(await stateOf(id)).toBe('active')
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
  net.answer(host, answerWith(500))
  await failUntil(108)
  expect(await stateOf(id)).toBe('active')
  net.answer(host, answerWith(200))
  await untilNext(id)
  net.answer(host, answerWith(500))
  await failUntil(108)
  expect(await stateOf(id)).toBe('active')
  await failUntil(48)
  expect(await stateOf(id)).toBe('failing')
  await queues.deliver()
  await drained(id)
  expect(await mailsAbout(ada, 'failing')).toEqual([host])
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
