import type { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../context.ts'
import { createContext } from '../create-context.ts'
import { type BatchQueue, queues } from './queues.ts'

export type BatchHandler = {
  queue: BatchQueue
  message: z.ZodType
  /** Set by the registry, for log lines. */
  service?: string
  run: (ctx: SystemCtx, items: readonly unknown[]) => Promise<void>
  /** Whether a message must not become a dead letter, because nobody may keep it. It is then lost. */
  mayKeep: (item: unknown) => boolean
}

/** Declares what handles the messages of a queue together. It may get a message again, also with other ones. */
export function onMessages<T>(
  queue: BatchQueue,
  message: z.ZodType<T>,
  run: (ctx: SystemCtx, items: readonly T[]) => Promise<void>,
  mayKeep: (item: T) => boolean = () => true,
): BatchHandler {
  return {
    queue,
    message,
    run: (ctx, items) =>
      run(
        ctx,
        items.map((item) => message.parse(item)),
      ),
    mayKeep: (item) => mayKeep(message.parse(item)),
  }
}

/** Acknowledges the messages once all are handled. Malformed ones are retried without the others. */
export async function consumeBatch(
  batch: MessageBatch,
  env: Env,
  waitUntil: (work: Promise<unknown>) => void,
  { queue, message: schema, service, run, mayKeep }: BatchHandler,
): Promise<void> {
  const ctx = createContext({ env, waitUntil, start: 'first-primary' })
  ctx.log = ctx.log.with({ service })
  const retry = (messages: readonly Message[], error: unknown) => {
    for (const { attempts } of messages.slice(0, 1)) {
      ctx.log.warn('messages will be retried', { queue: batch.queue, count: messages.length, attempts, error })
    }
    for (const message of messages) message.retry({ delaySeconds: Math.min(2 ** message.attempts, 600) })
  }
  const drop = (messages: readonly Message[]) => {
    for (const message of messages) message.ack()
    if (messages.length > 0) ctx.log.error('messages were dropped', { queue: batch.queue, count: messages.length })
  }
  const [fit, malformed] = [true, false].map((isFit) =>
    batch.messages.filter(({ body }) => schema.safeParse(body).success === isFit),
  )
  if (malformed) retry(malformed, 'malformed')
  if (!fit || fit.length === 0) return
  try {
    await run(
      ctx,
      fit.map(({ body }) => body),
    )
  } catch (error) {
    const isOver = ({ attempts, body }: Message) => attempts >= queues[queue].retries && !mayKeep(body)
    drop(fit.filter(isOver))
    retry(
      fit.filter((message) => !isOver(message)),
      error,
    )
  }
}
