import { type BatchHandler, consumeBatch } from './batches.ts'
import { keepDeadLetters } from './dead-letters.ts'
import { consumeEvents, type Reactions } from './outbox.ts'
import { queueOf } from './queues.ts'
import { consumeTasks, type TaskHandler } from './tasks.ts'

/** Dispatches a batch to the consumer of its queue. */
export async function consumeQueue(
  batch: MessageBatch,
  env: Env,
  waitUntil: (work: Promise<unknown>) => void,
  { tasks, batches, ...reactions }: Reactions & { tasks: readonly TaskHandler[]; batches: readonly BatchHandler[] },
): Promise<void> {
  const { binding, isDead } = queueOf(batch.queue)
  const together = batches.find(({ queue }) => queue === binding)
  if (isDead) await keepDeadLetters(batch, env, waitUntil)
  else if (binding === 'EVENTS') await consumeEvents(batch, env, waitUntil, reactions)
  else if (together) await consumeBatch(batch, env, waitUntil, together)
  else await consumeTasks(batch, env, waitUntil, tasks)
}
