import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { Env } from '../../src/platform/config.ts'
import { createContext, type SystemCtx } from '../../src/platform/context.ts'
import worker from '../../src/worker.ts'

type Delivery = { times?: number; random?: () => number }

/**
 * The bindings of the tests, except that what goes into a queue is held here until `deliver` hands it to the worker, as
 * often as asked and in any order. What `context()` defers waits for `afterwards`, which may drop it, as a dying isolate
 * would. So a test decides what has happened when it looks.
 */
export function heldBack() {
  const sent: { queue: string; body: unknown }[] = []
  const deferred: (() => Promise<unknown>)[] = []
  const relaying: Promise<unknown>[] = []
  const queue = (name: string) => ({
    sendBatch: async (messages: Iterable<MessageSendRequest>) => {
      for (const { body } of messages) sent.push({ queue: name, body: structuredClone(body) })
    },
  })
  const held = {
    ...env,
    EVENTS: queue('socialconnect-events'),
    FANOUT: queue('socialconnect-fanout'),
  } as unknown as Env

  function context(): SystemCtx {
    const waitUntil = (work: Promise<unknown>) => void relaying.push(work)
    const ctx = createContext({ env: held, waitUntil, start: 'first-primary' })
    return { ...ctx, defer: (work) => void deferred.push(work) }
  }

  async function afterwards({ run }: { run: boolean }): Promise<void> {
    const work = deferred.splice(0)
    if (run) await Promise.all(work.map((start) => start()))
    await Promise.all(relaying.splice(0))
  }

  /** Delivers until nothing is left; a message that fails throws. */
  async function deliver({ times = 1, random = Math.random }: Delivery = {}): Promise<void> {
    await afterwards({ run: true })
    while (sent.length > 0) {
      for (const [name, messages] of Map.groupBy(sent.splice(0), (message) => message.queue)) {
        const copies = messages.flatMap(({ body }) => Array.from({ length: times }, () => body))
        await consume(name, shuffled(copies, random))
      }
    }
  }

  async function consume(name: string, bodies: unknown[]): Promise<void> {
    const messages = bodies.map((body) => ({ id: crypto.randomUUID(), timestamp: new Date(), attempts: 1, body }))
    const batch = createMessageBatch(name, messages)
    const ctx = createExecutionContext()
    await worker.queue(batch, held, ctx)
    const { retryMessages } = await getQueueResult(batch, ctx)
    if (retryMessages.length > 0) throw new Error(`${name} failed: ${JSON.stringify(bodies)}`)
  }

  return { env: held, sent, context, afterwards, deliver }
}

/** The items in a random order. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const placed = items.map((item) => ({ item, at: random() }))
  return placed.sort((a, b) => a.at - b.at).map(({ item }) => item)
}
