import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { type Id, newId } from '../src/platform/data/ids.ts'
import worker from '../src/worker.ts'
import settings from '../wrangler.toml?raw'
import { count } from './support/town.ts'

// The queues of every environment, as wrangler.toml names them for their consumers.
const queues = [...settings.matchAll(/\{ queue = "([\w-]+)", max_batch_size/g)].map((match) => match[1]!)
const ending = (end: string) => queues.filter((queue) => queue.endsWith(end))

async function consume(queue: string, id: string, body: unknown): Promise<void> {
  const batch = createMessageBatch(queue, [{ id, timestamp: new Date(), attempts: 1, body }])
  const ctx = createExecutionContext()
  await worker.queue(batch as never, env, ctx)
  expect(await getQueueResult(batch, ctx)).toMatchObject({ outcome: 'ok', retryMessages: [] })
}

/** The event of a post that is gone already, waiting in the outbox of shard 0. */
async function waitingEvent() {
  const id = newId(0, Date.now())
  const data = { postId: id, authorId: id }
  await env.SHARD_0.prepare('INSERT INTO outbox (id, type, data) VALUES (?, ?, ?)')
    .bind(Number(id), 'post.published', JSON.stringify(data))
    .run()
  return { source: '0', id, type: 'post.published', data }
}
const waiting = (id: Id) => count(`SELECT count(*) n FROM outbox WHERE id = ${Number(id)}`, [env.SHARD_0])

test('three environments have three queues each, and one beside each for what failed', () => {
  const kinds = ['-events', '-fanout', '-deliveries'].flatMap((kind) => [kind, `${kind}-dead`])
  expect(kinds.map((kind) => ending(kind).length)).toEqual([3, 3, 3, 3, 3, 3])
  expect(queues).toHaveLength(18)
})

test.each(ending('-events'))('what comes from %s is worked off as an event', async (queue) => {
  const event = await waitingEvent()
  await consume(queue, queue, event)
  expect(await waiting(event.id)).toBe(0)
})

test.each([...ending('-fanout'), ...ending('-deliveries')])('what comes from %s is done as a task', async (queue) => {
  const id = newId(0, Date.now())
  const data = { postId: id, authorId: id, shard: 0, after: null, told: 0 }
  await consume(queue, queue, { type: 'feed.announce-post', data })
})

test.each(ending('-dead'))(
  'what comes from %s is kept under the name of the queue that it failed in',
  async (queue) => {
    const event = await waitingEvent()
    await consume(queue, `${queue}-${event.id}`, event)
    const letter = await env.SHARD_0.prepare('SELECT queue FROM dead_letters WHERE id = ?')
      .bind(`${queue}-${event.id}`)
      .first<{ queue: string }>()
    expect(letter?.queue).toBe(queue.replace('-dead', ''))
    expect(await waiting(event.id)).toBe(0)
  },
)
