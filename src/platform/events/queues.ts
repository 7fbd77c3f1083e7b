/** wrangler.toml must match. Timeouts are in seconds. Each queue has a dead-letter queue with the suffix `-dead`. */
export const queues = {
  EVENTS: { name: 'events', batchSize: 5, batchTimeout: 0, retries: 15 },
  /** Tasks that may be lost: pushes, and jobs, which run again when they are next due. */
  FANOUT: { name: 'fanout', batchSize: 5, batchTimeout: 0, retries: 3 },
  /** Tasks that call other systems, which may be down for hours. */
  DELIVERIES: { name: 'deliveries', batchSize: 10, batchTimeout: 1, retries: 25 },
  /** What people do, to be counted. An event stays in its outbox until this queue has accepted its activity. */
  ACTIVITY: { name: 'activity', batchSize: 100, batchTimeout: 5, retries: 100, concurrency: 2 },
  /** What becomes of mails, as the email service reports it. */
  BOUNCES: { name: 'bounces', batchSize: 100, batchTimeout: 5, retries: 10 },
} as const

export type QueueBinding = keyof typeof queues
/** Queues whose messages one handler takes together (`batches.ts`). */
export type BatchQueue = 'ACTIVITY' | 'BOUNCES'
export type TaskQueue = Exclude<QueueBinding, 'EVENTS' | BatchQueue>

/** The settings of every dead-letter queue. Times are in seconds. */
export const deadLetterSettings = { batchSize: 10, batchTimeout: 1, retries: 100, retryDelay: 60 } as const

const bindings: readonly QueueBinding[] = ['EVENTS', 'FANOUT', 'DELIVERIES', 'ACTIVITY', 'BOUNCES']

/** The binding for a full name like `socialconnect-events-dead`, and whether that is a dead-letter queue. */
export function queueOf(fullName: string): { binding: QueueBinding; isDead: boolean } {
  const isDead = fullName.endsWith('-dead')
  const alive = isDead ? fullName.slice(0, -'-dead'.length) : fullName
  const binding = bindings.find((candidate) => alive.endsWith(`-${queues[candidate].name}`))
  if (!binding) throw new Error(`the queue ${fullName} is unknown`)
  return { binding, isDead }
}
