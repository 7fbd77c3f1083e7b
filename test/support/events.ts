import { createExecutionContext, createMessageBatch, getQueueResult, runDurableObjectAlarm } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, vi } from 'vitest'
import type { Committed } from '../../src/platform/events/events.ts'
import worker from '../../src/worker.ts'
import { type Account, account } from './actors.ts'
import { count, countRows, shards } from './databases.ts'

/** An author on shard 0 and another account on shard 1, new for each test. */
export const authors = { ada: undefined as unknown as Account, bob: undefined as unknown as Account }
let tests = 0

/** Gives each test its own accounts, and restores clocks and mocks after the test. */
export function isolateEvents(): void {
  beforeEach(async () => {
    tests += 1
    authors.ada = await account(`ada_${tests}`, 0)
    authors.bob = await account(`bob_${tests}`, 1)
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })
}

export const notificationsOf = ({ id }: Account) => countRows('notifications', { account_id: id })
export const indexedOn = (shard: 0 | 1, { id }: Account) =>
  count(`select count(*) n from feed_index where lane = 0 and author_id = ${Number(id)}`, [shards[shard]])

/** Makes the event queue fail, and returns a list of the events whose sending failed. */
export function breakQueue(): Committed[] {
  const lost: Committed[] = []
  vi.spyOn(env.EVENTS, 'sendBatch').mockImplementation(async (messages) => {
    lost.push(...[...messages].map((message) => message.body as Committed))
    throw new Error('the queue is down')
  })
  return lost
}

/** Runs the alarms of the shards' sweepers until the outboxes are empty. */
export async function sweep(): Promise<void> {
  await vi.waitUntil(
    async () => {
      for (const source of ['0', '1']) {
        const sweeper = env.SWEEPER.getByName(source)
        await sweeper.arm(source)
        await runDurableObjectAlarm(sweeper)
      }
      return (await count('select count(*) n from outbox')) === 0
    },
    { timeout: 25_000, interval: 200 },
  )
}

/** Delivers messages with these bodies and the ids `m0`, `m1`, … to the Worker. Returns the ids of retried messages. */
export async function deliver(bodies: readonly unknown[], bindings: Env = env): Promise<string[]> {
  const messages = bodies.map((body, i) => ({ id: `m${i}`, timestamp: new Date(), attempts: 1, body }))
  const batch = createMessageBatch('socialconnect-events', messages)
  const ctx = createExecutionContext()
  await worker.queue(batch, bindings, ctx)
  return (await getQueueResult(batch, ctx)).retryMessages.map(({ msgId }) => msgId)
}
