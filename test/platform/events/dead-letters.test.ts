import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { deleteOldDeadLetters, replayMarked } from '../../../src/platform/events/dead-letters.ts'
import { createPost } from '../../../src/services/posts/posts.ts'
import worker from '../../../src/worker.ts'
import { count } from '../../support/databases.ts'
import { authors, breakQueue, deliver, indexedOn, isolateEvents, sweep } from '../../support/events.ts'
import { drained } from '../../support/outboxes.ts'
import { draft } from '../../support/posting.ts'
import { until } from '../../support/until.ts'

const DAY_MS = 24 * 3_600_000
let run = 0
isolateEvents()

test('a dead letter moves from the outbox to dead_letters, and takes effect when it is replayed', async () => {
  const events = breakQueue()
  await createPost(authors.ada.ctx, draft({ text: 'put aside' }))
  await until(() => events.length === 1)
  const messages = [{ id: `dead-${run++}`, timestamp: new Date(), attempts: 6, body: events[0] }]
  const dead = createMessageBatch('socialconnect-events-dead', messages)
  await worker.queue(dead as never, env, createExecutionContext())
  await worker.queue(dead as never, env, createExecutionContext())
  expect(await count('select count(*) n from outbox')).toBe(0)
  expect(await count('select count(*) n from dead_letters')).toBe(1)

  vi.restoreAllMocks()
  await env.SHARD_0.prepare('update dead_letters set replay = 1').run()
  await sweep()
  expect(await count('select count(*) n from dead_letters')).toBe(0)
  await drained()
  expect(await indexedOn(1, authors.ada)).toBe(1)
})

test('only the dead letter that cannot be stored is retried, and the others of its batch are stored', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const bodies = [
    { version: 1, source: '63', id: '1', type: 'post.framed', data: {}, trace: {} },
    { version: 1, source: '0', id: '2', type: 'post.framed', data: {}, trace: {} },
  ]
  await env.SHARD_0.prepare("insert into outbox (id, type, data, trace) values (2, 'post.framed', '{}', '{}')").run()
  const messages = bodies.map((body, i) => ({ id: `kept-${i}`, timestamp: new Date(), attempts: 1, body }))
  const dead = createMessageBatch('socialconnect-events-dead', messages)
  const ctx = createExecutionContext()
  await worker.queue(dead as never, env, ctx)
  const { retryMessages, explicitAcks } = await getQueueResult(dead, ctx)
  expect([retryMessages.map(({ msgId }) => msgId), explicitAcks]).toEqual([['kept-0'], ['kept-1']])
  expect(await count("select count(*) n from dead_letters where id like 'kept-%'")).toBe(1)
})

test('a dead letter of an event that was already acknowledged is dropped', async () => {
  const body = { version: 1, source: '0', id: '3', type: 'post.framed', data: {}, trace: {} }
  const messages = [{ id: 'duplicate', timestamp: new Date(), attempts: 1, body }]
  const dead = createMessageBatch('socialconnect-events-dead', messages)
  const ctx = createExecutionContext()
  await worker.queue(dead as never, env, ctx)
  expect((await getQueueResult(dead, ctx)).explicitAcks).toEqual(['duplicate'])
  expect(await count("select count(*) n from dead_letters where id = 'duplicate'")).toBe(0)
})

test('a replayed task is sent once, to its original queue', async () => {
  const sent: unknown[][] = []
  const queue = (name: string) => ({ send: async (body: unknown) => void sent.push([name, body]) })
  for (const name of ['fanout', 'deliveries']) {
    const messages = [{ id: `dead-${name}`, timestamp: new Date(), attempts: 6, body: { type: name, data: {} } }]
    const dead = createMessageBatch(`socialconnect-${name}-dead`, messages)
    await worker.queue(dead as never, env, createExecutionContext())
  }
  const ctx = { ...authors.ada.ctx, env: { ...env, FANOUT: queue('fanout'), DELIVERIES: queue('deliveries') } as never }
  await replayMarked(ctx, ctx.db.shard(0))
  expect(sent).toEqual([])
  await env.SHARD_0.prepare('update dead_letters set replay = 1').run()
  for (let n = 0; n < 2; n++) await replayMarked(ctx, ctx.db.shard(0))
  expect(sent.sort()).toEqual(['deliveries', 'fanout'].map((name) => [name, { type: name, data: {} }]))
})

test('a replayed event has only the subscriptions that were still pending when it became a dead letter', async () => {
  const events = breakQueue()
  await createPost(authors.ada.ctx, draft({ text: 'partly done' }))
  await until(() => events.length === 1)
  await env.SHARD_0.prepare("insert into hubs values ('0:4:9', 1)").run()
  const HUB = { getByName: () => ({ publish: () => Promise.reject(new Error('down')) }) }
  expect(await deliver(events, Object.assign({ ...env }, { HUB }))).toEqual(['m0'])
  const messages = [{ id: `dead-${run++}`, timestamp: new Date(), attempts: 16, body: events[0] }]
  const dead = createMessageBatch('socialconnect-events-dead', messages)
  await worker.queue(dead, env, createExecutionContext())
  await env.SHARD_0.prepare('update dead_letters set replay = 1').run()
  await replayMarked(authors.ada.ctx, authors.ada.ctx.db.shard(0))
  const replayed = env.SHARD_0.prepare('select pending from outbox where id = ?').bind(Number(events[0]!.id))
  const row = await replayed.first<{ pending: string }>()
  expect(row?.pending).toBe('["index-and-announce"]')
  expect(await deliver(events)).toEqual([])
})

test('dead letters older than DEAD_LETTER_DAYS are deleted, except those of events', async () => {
  const { ctx } = authors.ada
  const days = ctx.config.DEAD_LETTER_DAYS
  const insert = env.SHARD_0.prepare("insert into dead_letters (id, queue, body, failed_at) values (?, ?, '{}', ?)")
  await insert.bind('old', 'test-fanout', ctx.now() - (days + 1) * DAY_MS).run()
  await insert.bind('young', 'test-fanout', ctx.now() - (days - 1) * DAY_MS).run()
  await insert.bind('event', 'test-events', ctx.now() - 10 * days * DAY_MS).run()
  await deleteOldDeadLetters(ctx, ctx.db.shard(0))
  const { results } = await env.SHARD_0.prepare(
    "select id from dead_letters where queue like 'test-%' order by id",
  ).all()
  expect(results).toEqual([{ id: 'event' }, { id: 'young' }])
})
