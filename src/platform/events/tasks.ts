import { z } from '@hono/zod-openapi'
import { type SystemCtx, withLog } from '../context.ts'
import { createContext } from '../create-context.ts'
import { mapConcurrently } from '../data/shards.ts'
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
  isSlow: (data: unknown) => boolean
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

/** Declares the handler of a task. Make it idempotent, because it may run more than once. Slow tasks run after the others of a batch. */
export function onTask<T>(
  task: TaskDefinition<T>,
  run: (ctx: SystemCtx, data: T) => Promise<void>,
  isSlow: (data: T) => boolean = () => false,
): TaskHandler {
  return {
    task,
    run: (ctx, data) => run(ctx, task.data.parse(data)),
    isSlow: (data) => {
      const parsed = task.data.safeParse(data)
      return parsed.success && isSlow(parsed.data)
    },
  }
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
  const slow = batch.messages.filter(({ body }) => isSlow(body, handlers))
  for (const message of batch.messages) if (!slow.includes(message)) await handle(base, batch.queue, message, handlers)
  await mapConcurrently(slow, (message) => handle(base, batch.queue, message, handlers))
}

function isSlow(body: unknown, handlers: readonly TaskHandler[]): boolean {
  const { success, data } = Message.safeParse(body)
  return success && handlers.some(({ task, isSlow }) => task.type === data.type && isSlow(data.data))
}

async function handle(base: SystemCtx, queue: string, message: Message, handlers: readonly TaskHandler[]) {
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
    ctx.log.warn('a task will be retried', { queue, attempts, error })
    message.retry({ delaySeconds: Math.min(15 * 2 ** attempts, 3_600) })
  }
}
