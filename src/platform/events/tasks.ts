import { z } from '@hono/zod-openapi'
import { createContext, type SystemCtx } from '../context.ts'

/** How many messages a queue takes at a time. */
const MAX_BATCH = 100

/** `FANOUT` carries pushes that may be lost, `DELIVERIES` what goes to other systems and is retried for hours. */
type TaskQueue = 'FANOUT' | 'DELIVERIES'

export type TaskDefinition<T = unknown> = { queue: TaskQueue; type: string; data: z.ZodType<T> }
export type TaskHandler = { task: TaskDefinition; perform: (ctx: SystemCtx, data: unknown) => Promise<void> }

/** Declares a kind of work for a queue. Its data are ids only. */
export function defineTask<T>(queue: TaskQueue, type: string, data: z.ZodType<T>): TaskDefinition<T> {
  return { queue, type, data }
}

/** Puts work into its queue. Throws when the queue does not take it. */
export async function enqueue<T>(ctx: SystemCtx, task: TaskDefinition<T>, data: readonly T[]): Promise<void> {
  ctx.cost.queueMessages += data.length
  for (let at = 0; at < data.length; at += MAX_BATCH) {
    const bodies = data.slice(at, at + MAX_BATCH).map((item) => ({ body: { type: task.type, data: item } }))
    await ctx.env[task.queue].sendBatch(bodies)
  }
}

/** How a kind of work is done. It may run more than once. */
export function onTask<T>(task: TaskDefinition<T>, perform: (ctx: SystemCtx, data: T) => Promise<void>): TaskHandler {
  return { task, perform: (ctx, data) => perform(ctx, task.data.parse(data)) }
}

const Message = z.object({ type: z.string(), data: z.unknown() })

/** The consumer of `FANOUT` and `DELIVERIES`: each message is done or retried alone, waiting longer each time, up to an hour. */
export async function consumeTasks(
  batch: MessageBatch,
  env: SystemCtx['env'],
  waitUntil: (work: Promise<unknown>) => void,
  handlers: readonly TaskHandler[],
): Promise<void> {
  const ctx = createContext({ env, waitUntil, start: 'first-primary' })
  for (const message of batch.messages) {
    try {
      const { type, data } = Message.parse(message.body)
      const handler = handlers.find(({ task }) => task.type === type)
      if (!handler) throw new Error(`nobody does ${type}`)
      await handler.perform(ctx, data)
      message.ack()
    } catch (error) {
      ctx.log.warn('a task will be retried', { queue: batch.queue, attempts: message.attempts, error })
      message.retry({ delaySeconds: Math.min(15 * 2 ** message.attempts, 3_600) })
    }
  }
}
