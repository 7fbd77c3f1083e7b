import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { SystemCtx } from '../../src/platform/context.ts'
import { createContext } from '../../src/platform/create-context.ts'
import worker from '../../src/worker.ts'

type Delivery = { times?: number; random?: () => number }
export type Message = { queue: string; body: unknown }

/**
 * Bindings whose queues keep messages until `deliver` gives `times` copies of each to the Worker, in random order.
 * The deferred work of `context()` waits for `finishDeferred`, which runs it, or drops it as if the isolate had died.
 */
export function manualQueues() {
  const sent: Message[] = []
  const deferred: (() => Promise<unknown>)[] = []
  const relaying: Promise<unknown>[] = []
  const queue = (name: string) => ({
    sendBatch: async (messages: Iterable<MessageSendRequest>) => {
      for (const { body } of messages) sent.push({ queue: name, body: structuredClone(body) })
    },
  })
  const bindings = {
    ...env,
    EVENTS: queue('socialconnect-events'),
    FANOUT: queue('socialconnect-fanout'),
  } as unknown as Env

  function context(): SystemCtx {
    const waitUntil = (work: Promise<unknown>) => void relaying.push(work)
    const ctx = createContext({ env: bindings, waitUntil, start: 'first-primary' })
    return { ...ctx, defer: (work) => void deferred.push(work) }
  }

  async function finishDeferred({ run }: { run: boolean }): Promise<void> {
    const work = deferred.splice(0)
    if (run) await Promise.all(work.map((start) => start()))
    await Promise.all(relaying.splice(0))
  }

  /** Runs or drops deferred work, then removes and returns queued messages. To deliver these, push them to `sent`. */
  async function delayMessages(deferredWork: { run: boolean }): Promise<Message[]> {
    await finishDeferred(deferredWork)
    return sent.splice(0)
  }

  /** Runs the deferred work, then delivers until no message is left. Throws if the Worker asks to retry a message. */
  async function deliver({ times = 1, random = Math.random }: Delivery = {}): Promise<void> {
    await finishDeferred({ run: true })
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
    await worker.queue(batch, bindings, ctx)
    const { retryMessages } = await getQueueResult(batch, ctx)
    if (retryMessages.length > 0) throw new Error(`${name} failed: ${JSON.stringify(bodies)}`)
  }

  return { env: bindings, sent, context, finishDeferred, delayMessages, deliver }
}

/** One instance per test file, shared by its tests and helpers. */
export const queues = manualQueues()

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const placed = items.map((item) => ({ item, at: random() }))
  return placed.sort((a, b) => a.at - b.at).map(({ item }) => item)
}
