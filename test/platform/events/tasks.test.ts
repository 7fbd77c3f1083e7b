import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { z } from '@hono/zod-openapi'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { consumeTasks, defineTask, enqueue, onTask } from '../../../src/platform/events/tasks.ts'
import { contextWith } from '../../support/platform.ts'

const greet = defineTask('DELIVERIES', 'test.greet', z.object({ id: z.string() }))
const done: string[] = []
const greeting = onTask(greet, async (_, { id }) => {
  if (id === 'bad') throw new Error('cannot')
  done.push(id)
})

beforeEach(() => {
  done.length = 0
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => vi.restoreAllMocks())

function batchOf(bodies: unknown[], attempts = 1) {
  const messages = bodies.map((body, i) => ({ id: String(i), timestamp: new Date(), attempts, body }))
  return createMessageBatch('socialconnect-deliveries', messages)
}

async function consume(batch: MessageBatch) {
  const ctx = createExecutionContext()
  await consumeTasks(batch, env, ctx.waitUntil.bind(ctx), [greeting])
  return getQueueResult(batch, ctx)
}

test('a failing task in a batch of ten is retried alone, and the other nine tasks run once', async () => {
  const ids = ['a', 'b', 'c', 'bad', 'd', 'e', 'f', 'g', 'h', 'i']
  const result = await consume(batchOf(ids.map((id) => ({ type: 'test.greet', data: { id } }))))
  expect(done).toEqual(ids.filter((id) => id !== 'bad'))
  expect(result.explicitAcks).toHaveLength(9)
  expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual(['3'])
})

test('slow tasks run after the others of their batch, and one that hangs delays none of them', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const slow = defineTask('DELIVERIES', 'test.slow', z.object({ id: z.string() }))
  const calling = onTask(
    slow,
    async (_, { id }) => {
      if (id === 'hangs') await promise
      done.push(id)
    },
    () => true,
  )
  const bodies = ['hangs', 'quick'].map((id) => ({ type: 'test.slow', data: { id } }))
  const batch = batchOf([bodies[0], { type: 'test.greet', data: { id: 'mail' } }, bodies[1]])
  const ctx = createExecutionContext()
  const consuming = consumeTasks(batch, env, ctx.waitUntil.bind(ctx), [greeting, calling])
  await vi.waitUntil(() => done.length === 2)
  expect(done).toEqual(['mail', 'quick'])
  resolve()
  await consuming
  expect([done, (await getQueueResult(batch, ctx)).explicitAcks.length]).toEqual([['mail', 'quick', 'hangs'], 3])
})

test('an unknown or malformed message is retried, not lost', async () => {
  const bodies = [{ type: 'test.unknown', data: {} }, { type: 'test.greet', data: { id: 5 } }, 'text', null]
  const result = await consume(batchOf(bodies))
  expect([result.explicitAcks, result.retryMessages.length, done]).toEqual([[], 4, []])
})

test('each retry waits longer, up to an hour', async () => {
  const delays: unknown[] = []
  for (const attempts of [1, 2, 3, 10]) {
    const batch = batchOf([{ type: 'test.greet', data: { id: 'bad' } }], attempts)
    vi.spyOn(batch.messages[0]!, 'retry').mockImplementation((options) => void delays.push(options?.delaySeconds))
    await consumeTasks(batch, env, () => {}, [greeting])
  }
  expect(delays).toEqual([30, 60, 120, 3_600])
})

test('enqueue sends tasks in batches of at most a hundred and counts them as queue messages', async () => {
  const sent: unknown[][] = []
  vi.spyOn(env.DELIVERIES, 'sendBatch').mockImplementation(async (messages) => {
    sent.push([...messages])
    return {} as never
  })
  const ctx = contextWith()
  await enqueue(
    ctx,
    greet,
    Array.from({ length: 250 }, (_, i) => ({ id: String(i) })),
  )
  expect(sent.map((batch) => batch.length)).toEqual([100, 100, 50])
  expect(sent[2]!.at(-1)).toEqual({ body: { type: 'test.greet', data: { id: '249' }, trace: {} } })
  await enqueue(ctx, greet, [])
  expect([sent.length, ctx.cost.queueMessages]).toEqual([3, 250])
})

test('enqueue throws when the queue does not accept a task', async () => {
  vi.spyOn(env.DELIVERIES, 'sendBatch').mockRejectedValue(new Error('down'))
  await expect(enqueue(contextWith(), greet, [{ id: '1' }])).rejects.toThrow('down')
})
