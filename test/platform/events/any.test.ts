import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { z } from '@hono/zod-openapi'
import { beforeEach, expect, test, vi } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { Id, idOf } from '../../../src/platform/data/ids.ts'
import {
  type Committed,
  dataOf,
  defineEvent,
  defineStep,
  on,
  onAny,
  record,
} from '../../../src/platform/events/events.ts'
import { consumeEvents } from '../../../src/platform/events/outbox.ts'
import { meterDatabases } from '../../support/d1-meter.ts'
import { breakQueue, isolateEvents } from '../../support/events.ts'

const happened = defineEvent('test.happened', z.object({ thingId: Id }))
const lonely = defineEvent('test.lonely', z.object({ thingId: Id }))
const later = defineEvent('test.later', z.object({ thingId: Id }))
const stepped = defineStep('test.stepped', z.object({ thingId: Id }))
const thingId = idOf(0, Date.UTC(2026, 0, 1), 1)

let calls: string[][] = []
let ran: string[] = []
let broken: string[] = []
const named = on(happened, 'named', async () => {
  ran.push('named')
  if (broken.includes('named')) throw new Error('broken')
})
const any = onAny('any', async (_, events) => {
  calls.push(events.map(({ type }) => type))
  if (broken.includes('any')) throw new Error('broken')
})
const bindings: Env = { ...env }
const meter = meterDatabases(bindings)

isolateEvents()
beforeEach(async () => {
  calls = []
  ran = []
  broken = []
  await env.SHARD_0.prepare('delete from outbox').run()
  vi.spyOn(console, 'log').mockImplementation(() => {})
})

async function committed(...events: (typeof happened)[]): Promise<Committed[]> {
  const lost = breakQueue()
  const relaying: Promise<unknown>[] = []
  const { db } = createContext({ env, waitUntil: (work) => void relaying.push(work) })
  const [first, ...others] = events.map((event) => record(db.shard(0), event, { thingId }))
  await db.shard(0).commit([first!, ...others])
  await Promise.all(relaying)
  return lost
}

/** The number of events that are retried. */
async function consume(bodies: readonly unknown[], subscriptions = [named, any]): Promise<number> {
  const messages = bodies.map((body, n) => ({ id: `m${n}`, timestamp: new Date(), attempts: 1, body }))
  const batch = createMessageBatch('socialconnect-events', messages)
  const ctx = createExecutionContext()
  const events = [happened, lonely, later, stepped]
  await consumeEvents(batch, bindings, ctx.waitUntil.bind(ctx), { events, subscriptions })
  return (await getQueueResult(batch, ctx)).retryMessages.length
}

const pendings = async () => {
  const { results } = await env.SHARD_0.prepare('select pending from outbox order by id').all()
  return results.map(({ pending }) => pending)
}
const untilRetry = () => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_000 })

test('a failed onAny is retried alone, and another failed subscription is retried without it', async () => {
  const [event] = await committed(happened)
  broken = ['any']
  expect([await consume([event]), ran, await pendings()]).toEqual([1, ['named'], ['["any"]']])
  broken = []
  untilRetry()
  expect([await consume([event]), ran, calls, await pendings()]).toEqual([
    0,
    ['named'],
    [['test.happened'], ['test.happened']],
    [],
  ])
  vi.useRealTimers()
  const [next] = await committed(happened)
  broken = ['named']
  expect([await consume([next]), await pendings()]).toEqual([1, ['["named"]']])
  broken = []
  untilRetry()
  expect([await consume([next]), calls.length]).toEqual([0, 3])
})

test('ten deliveries of an event run onAny once, and those of one batch in one call', async () => {
  const events = await committed(happened, lonely)
  for (let n = 0; n < 10; n++) expect(await consume(events)).toBe(0)
  expect(calls).toEqual([['test.happened', 'test.lonely']])
})

test('onAny gets events that no other subscription names, but no steps, and no malformed data', async () => {
  const [first, step, malformed] = await committed(later, stepped, happened)
  expect(await consume([first, step, { ...malformed, data: { nonsense: true } }])).toBe(1)
  expect([calls, await pendings()]).toEqual([[['test.later']], ['["named","any"]']])
})

test('an event that onAny ignores costs the trip and the deleted row of an event without subscriptions', async () => {
  const costs = []
  for (const subscriptions of [[], [any]]) {
    const events = await committed(lonely, lonely)
    meter.take()
    expect(await consume(events, subscriptions)).toBe(0)
    costs.push(meter.take())
  }
  expect(costs[0]).toMatchObject({ trips: 1, rowsWritten: 2, outboxRowsWritten: 2 })
  expect(costs[1]).toEqual(costs[0])
})

test('dataOf returns the parsed data of the named event only', () => {
  const event = { id: thingId, type: 'test.happened', data: { thingId, more: 1 } }
  expect([dataOf(happened, event), dataOf(lonely, event)]).toEqual([{ thingId }, null])
})
