import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { z } from '@hono/zod-openapi'
import { beforeEach, expect, test, vi } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { Id, idOf } from '../../../src/platform/data/ids.ts'
import { type Committed, defineEvent, on, outbox, record } from '../../../src/platform/events/events.ts'
import { consumeEvents } from '../../../src/platform/events/outbox.ts'
import { hubName } from '../../../src/platform/realtime/hubs.ts'
import { createPost } from '../../../src/services/posts/posts.ts'
import { shards } from '../../support/databases.ts'
import { authors, breakQueue, deliver, indexedOn, isolateEvents, notificationsOf, sweep } from '../../support/events.ts'
import { contextWith } from '../../support/platform.ts'
import { draft } from '../../support/posting.ts'
import { until } from '../../support/until.ts'

const happened = defineEvent('test.happened', z.object({ thingId: Id }))
const lonely = defineEvent('test.lonely', z.object({ thingId: Id }))
const thingId = idOf(0, Date.UTC(2026, 0, 1), 1)
const trace = { requestId: 'r1', traceId: 't1' }

let ran: string[] = []
let broken: string[] = []
const subscriptions = ['a', 'b', 'c'].map((name) => ({
  service: 'tests',
  ...on(happened, name, async (ctx) => {
    ran.push(name)
    ctx.log.info('reacting', { traced: ctx.trace.requestId })
    if (broken.includes(name)) throw new Error('broken')
  }),
}))
const lines: Record<string, unknown>[] = []

isolateEvents()
beforeEach(() => {
  ran = []
  broken = []
  lines.length = 0
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(JSON.parse(line)))
})

/** Lets the time come at which the queue retries an event that failed. */
const untilRetry = () => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_000 })

/** Commits an event in a context with `trace`, and returns its queue message. */
async function committed(event: typeof happened): Promise<Committed> {
  const events = breakQueue()
  const relaying: Promise<unknown>[] = []
  const { db } = createContext({ env, waitUntil: (work) => void relaying.push(work), trace })
  await db.shard(0).commit([record(db.shard(0), event, { thingId })])
  await Promise.all(relaying)
  return events[0]!
}

async function consume(event: Committed, attempts = 1): Promise<'acknowledged' | 'retried'> {
  const batch = createMessageBatch('socialconnect-events', [{ id: 'm', timestamp: new Date(), attempts, body: event }])
  const ctx = createExecutionContext()
  const known = { events: [happened, lonely], subscriptions }
  await consumeEvents(batch, env, ctx.waitUntil.bind(ctx), known)
  return (await getQueueResult(batch, ctx)).retryMessages.length > 0 ? 'retried' : 'acknowledged'
}

const pendingOf = async ({ id }: Committed) => {
  const { db } = authors.ada.ctx
  return (await db.shard(0).select().from(outbox)).find((row) => row.id === id)?.pending
}

test('only failed subscriptions are retried, until all have succeeded and the event is acknowledged', async () => {
  const event = await committed(happened)
  broken = ['b', 'c']
  expect([await consume(event), ran.splice(0), await pendingOf(event)]).toEqual([
    'retried',
    ['a', 'b', 'c'],
    ['b', 'c'],
  ])
  broken = ['c']
  untilRetry()
  expect([await consume(event), ran.splice(0), await pendingOf(event)]).toEqual(['retried', ['b', 'c'], ['c']])
  broken = []
  untilRetry()
  expect([await consume(event), ran.splice(0), await pendingOf(event)]).toEqual(['acknowledged', ['c'], undefined])
  expect([await consume(event), ran]).toEqual(['acknowledged', []])
})

test('a duplicate of a failed event runs nothing while the queue waits to retry it, and the retry runs', async () => {
  const event = await committed(happened)
  broken = ['b']
  expect([await consume(event), ran.splice(0)]).toEqual(['retried', ['a', 'b', 'c']])
  broken = []
  expect([await consume(event), ran.splice(0), await pendingOf(event)]).toEqual(['acknowledged', [], ['b']])
  untilRetry()
  expect([await consume(event), ran, await pendingOf(event)]).toEqual(['acknowledged', ['b'], undefined])
})

test('an event without subscriptions is acknowledged, and one with an unknown subscription is retried', async () => {
  const alone = await committed(lonely)
  expect([await consume(alone), await pendingOf(alone)]).toEqual(['acknowledged', undefined])
  const event = await committed(happened)
  const pending = JSON.stringify(['a', 'newer'])
  await env.SHARD_0.prepare('update outbox set pending = ? where id = ?').bind(pending, Number(event.id)).run()
  expect([await consume(event, 2), ran]).toEqual(['retried', []])
  await env.SHARD_0.prepare('delete from outbox').run()
})

test('the log lines of a subscription have the request id and trace id of the request that caused it', async () => {
  await consume(await committed(happened))
  const reacting = lines.filter(({ message }) => message === 'reacting')
  expect(reacting.map(({ subscription }) => subscription)).toEqual(['a', 'b', 'c'])
  for (const line of reacting)
    expect(line).toMatchObject({ ...trace, service: 'tests', event: 'test.happened', traced: 'r1' })
})

test('a sweep after a partial failure completes the event and creates no second notification', async () => {
  const { ada, bob } = authors
  const events = breakQueue()
  const { value: post } = await createPost(ada.ctx, draft({ text: 'liked' }))
  await createPost(bob.ctx, draft({ text: 'a comment', parentId: post.id }))
  await until(() => events.length === 2)
  await env.SHARD_0.prepare('insert into hubs values (?, 1)').bind(hubName(contextWith(), ada.id)).run()
  const HUB = { getByName: () => ({ publish: () => Promise.reject(new Error('down')) }) }
  expect(await deliver(events, Object.assign({ ...env }, { HUB }))).toEqual(['m0', 'm1'])
  expect([await indexedOn(1, ada), await notificationsOf(ada)]).toEqual([1, 1])
  vi.restoreAllMocks()
  for (const db of shards) await db.prepare('update outbox set retry_at = 0').run()
  await sweep()
  expect(await notificationsOf(ada)).toBe(1)
})
