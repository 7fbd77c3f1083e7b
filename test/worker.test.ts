import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { app } from '../src/app.ts'
import { isEager } from '../src/dispatch.ts'
import { eagerServices } from '../src/eager.ts'
import { type Id, newId } from '../src/platform/data/ids.ts'
import { services } from '../src/registry.ts'
import worker from '../src/worker.ts'
import settings from '../wrangler.toml?raw'
import { countRows, shards } from './support/databases.ts'

// The queues that the Worker consumes, in every environment of wrangler.toml.
const queues = [...settings.matchAll(/\{ queue = "([\w-]+)", max_batch_size/g)].map((match) => match[1]!)
const queuesOf = (kind: string) => queues.filter((queue) => queue.endsWith(kind))

async function consume(queue: string, id: string, body: unknown): Promise<void> {
  const batch = createMessageBatch(queue, [{ id, timestamp: new Date(), attempts: 1, body }])
  const ctx = createExecutionContext()
  await worker.queue(batch as never, env, ctx)
  expect(await getQueueResult(batch, ctx)).toMatchObject({ outcome: 'ok', retryMessages: [] })
}

/** Inserts an unacknowledged event into the outbox of shard 0, about a post that does not exist. */
async function pendingEvent() {
  const id = newId(0, Date.now())
  const data = { postId: id, authorId: id, rootId: null, parentId: null, mentioned: [] }
  await env.SHARD_0.prepare('INSERT INTO outbox (id, type, data) VALUES (?, ?, ?)')
    .bind(Number(id), 'post.published', JSON.stringify(data))
    .run()
  return { version: 1, source: '0', id, type: 'post.published', data, trace: {} }
}
const isPending = (id: Id) => countRows('outbox', { id }, [shards[0]])

test('in each of three environments, the Worker consumes five queues and the dead-letter queue of each', () => {
  const kinds = ['-events', '-fanout', '-deliveries', '-activity', '-bounces'].flatMap((kind) => [kind, `${kind}-dead`])
  expect(kinds.map((kind) => queuesOf(kind).length)).toEqual(kinds.map(() => 3))
  expect(queues).toHaveLength(30)
})

test.each(queuesOf('-events'))('a message of %s is processed as an event', async (queue) => {
  const event = await pendingEvent()
  await consume(queue, queue, event)
  expect(await isPending(event.id)).toBe(0)
})

test.each([...queuesOf('-fanout'), ...queuesOf('-deliveries')])(
  'a message of %s is processed as a task',
  async (queue) => {
    const data = { shard: 0, after: null }
    await consume(queue, queue, { type: 'notifications.delete-old', data })
  },
)

test.each(queuesOf('-dead'))(
  'a message of %s is stored as a dead letter of the queue in which it failed',
  async (queue) => {
    const event = await pendingEvent()
    await consume(queue, `${queue}-${event.id}`, event)
    const letter = await env.SHARD_0.prepare('SELECT queue FROM dead_letters WHERE id = ?')
      .bind(`${queue}-${event.id}`)
      .first<{ queue: string }>()
    expect(letter?.queue).toBe(queue.replace('-dead', ''))
    expect(await isPending(event.id)).toBe(0)
  },
)

const eager = (method: string, path: string) => isEager(new Request(`https://social.example${path}`, { method }))

test('the services that load at the start are declared as in the registry', () => {
  for (const { name, mount, operations } of eagerServices) {
    const declared = services.find((service) => service.name === name)
    expect(declared?.mount).toBe(mount)
    expect(declared?.operations.length).toBe(operations.length)
    for (const [i, operation] of operations.entries()) expect(declared?.operations[i]).toBe(operation)
  }
})

test('an isolate loads all services for exactly those routes that are of no service loaded at the start', () => {
  const declared = eagerServices.flatMap(({ mount, operations }) =>
    operations.map(({ method, path }) => `${method.toUpperCase()} ${mount}${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
  )
  const routes = app.routes.filter(({ method }) => method !== 'ALL')
  const served = routes.filter(({ method, path }) => eager(method, path.replaceAll(/:\w+/g, '1')))
  expect(new Set(served.map(({ method, path }) => `${method} ${path}`))).toEqual(new Set(declared))
})

test('pages, assets, preflights and HEAD need only what loads at the start; other methods and unknown paths need all', () => {
  for (const [method, path] of ['GET /', 'GET /@ada', 'GET /main.js', 'OPTIONS /v1/exports', 'HEAD /v1/feeds/home'].map(
    (line) => line.split(' '),
  ))
    expect([path, eager(method!, path!)]).toEqual([path, true])
  for (const [method, path] of ['DELETE /v1/feeds/home', 'GET /v1/nothing', 'GET /auth/nothing'].map((line) =>
    line.split(' '),
  ))
    expect([path, eager(method!, path!)]).toEqual([path, false])
})
