import { z } from '@hono/zod-openapi'
import { type SystemCtx, withLog } from '../context.ts'
import { createContext } from '../create-context.ts'
import { Trace } from '../observability/trace.ts'
import type { TaskQueue } from './queues.ts'

/** The most messages that a queue accepts in one call. */
const MAX_BATCH = 100

export type TaskDefinition<T = unknown> = { queue: TaskQueue; type: string; data: z.ZodType<T> }
export type TaskHandler = {
  task: TaskDefinition
  /** Set by the registry, for log lines. */
  service?: string
  run: (ctx: SystemCtx, data: unknown) => Promise<void>
}

/** Declares a task of a queue. Its data contains ids and positions, never content; handlers read the current state. */
export function defineTask<T>(queue: TaskQueue, type: string, data: z.ZodType<T>): TaskDefinition<T> {
  return { queue, type, data }
}

/** Throws when the queue does not accept the messages. */
export async function enqueue<T>(ctx: SystemCtx, task: TaskDefinition<T>, data: readonly T[]): Promise<void> {
  for (let at = 0; at < data.length; at += MAX_BATCH) {
    const items = data.slice(at, at + MAX_BATCH)
    await ctx.env[task.queue].sendBatch(
      items.map((item) => ({ body: { type: task.type, data: item, trace: ctx.trace } })),
    )
  }
}

/** Declares the handler of a task. Make it idempotent, because it may run more than once. */
export function onTask<T>(task: TaskDefinition<T>, run: (ctx: SystemCtx, data: T) => Promise<void>): TaskHandler {
  return { task, run: (ctx, data) => run(ctx, task.data.parse(data)) }
}

const Message = z.object({
  type: z.string(),
  data: z.unknown(),
  trace: Trace.default({}),
})

/** Acknowledges or retries each message separately, with exponential backoff up to an hour. */
export async function consumeTasks(
  batch: MessageBatch,
  env: Env,
  waitUntil: (work: Promise<unknown>) => void,
  handlers: readonly TaskHandler[],
): Promise<void> {
  const base = createContext({ env, waitUntil, start: 'first-primary' })
  for (const message of batch.messages) {
    const { attempts, body } = message
    let ctx = base
    try {
      const { type, data, trace } = Message.parse(body)
      const handler = handlers.find(({ task }) => task.type === type)
      ctx = withLog({ ...base, trace }, { ...trace, service: handler?.service, task: type })
      if (!handler) throw new Error(`the task ${type} is unknown`)
      await handler.run(ctx, data)
      message.ack()
    } catch (error) {
      ctx.log.warn('a task will be retried', { queue: batch.queue, attempts, error })
      message.retry({ delaySeconds: Math.min(15 * 2 ** attempts, 3_600) })
    }
  }
}
