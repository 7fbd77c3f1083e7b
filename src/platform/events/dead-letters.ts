import { eq, lt, sql } from 'drizzle-orm'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { SystemCtx } from '../context.ts'
import { createContext } from '../create-context.ts'
import { query } from '../data/conditions.ts'
import type { Database } from '../data/databases.ts'
import { deleteInSteps } from '../data/expiry.ts'
import { Committed, outbox } from './events.ts'
import { sourceOf } from './outbox.ts'
import { queueOf } from './queues.ts'

const DAY_MS = 24 * 3_600_000

/** Messages that exhausted the retries of their queue, kept for a replay (`npm run replay`). */
export const deadLetters = sqliteTable('dead_letters', {
  id: text('id').primaryKey(),
  queue: text('queue').notNull(),
  body: text('body', { mode: 'json' }).$type<unknown>().notNull(),
  failedAt: integer('failed_at').notNull(),
  /** Set by `npm run replay`; the sweeper then sends the message again. */
  replay: integer('replay', { mode: 'boolean' }).notNull().default(false),
  /** For an event: the subscriptions that have not succeeded. */
  pending: text('pending', { mode: 'json' }).$type<string[]>(),
})

/** Consumes the dead-letter queues. A message that cannot be stored is retried alone. */
export async function keepDeadLetters(
  batch: MessageBatch,
  env: Env,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<void> {
  const ctx = createContext({ env, waitUntil, start: 'first-primary' })
  const queue = batch.queue.replace(/-dead$/, '')
  for (const message of batch.messages) {
    const about = { queue, messageId: message.id }
    try {
      await keepDeadLetter(ctx, queue, message)
      message.ack()
      ctx.log.error('a message became a dead letter', about)
    } catch (error) {
      ctx.log.error('a dead letter cannot be stored', { ...about, error })
      message.retry()
    }
  }
}

async function keepDeadLetter(ctx: SystemCtx, queue: string, message: Message): Promise<void> {
  const event = Committed.safeParse(message.body).data
  const letter = { id: message.id, queue, body: message.body, failedAt: ctx.now() }
  if (!event) {
    const [first = 0] = ctx.db.shards
    await ctx.db.shard(first).insert(deadLetters).values(letter).onConflictDoNothing()
    return
  }
  const db = sourceOf(ctx, event.source)
  const own = eq(outbox.id, event.id)
  const pending = sql<null>`${query.select({ pending: outbox.pending }).from(outbox).where(own)}`
  await db.batch([
    db
      .insert(deadLetters)
      .values({ ...letter, pending })
      .onConflictDoNothing(),
    db.delete(outbox).where(own),
  ])
}

/** Sends marked dead letters again. An event returns to the outbox in the batch that deletes its dead letter. */
export async function replayMarked(ctx: SystemCtx, db: Database): Promise<void> {
  const letters = await db.select().from(deadLetters).where(eq(deadLetters.replay, true)).limit(100)
  for (const { id, queue, body, pending } of letters) {
    const event = Committed.safeParse(body).data
    const forget = db.delete(deadLetters).where(eq(deadLetters.id, id))
    if (event) {
      const { type, data, trace } = event
      await db.batch([
        db.insert(outbox).values({ id: event.id, type, data, trace, pending }).onConflictDoNothing(),
        forget,
      ])
    } else {
      await ctx.env[queueOf(queue).binding].send(body)
      await forget
    }
  }
}

export async function deleteOldDeadLetters(ctx: SystemCtx, db: Database): Promise<void> {
  const old = lt(deadLetters.failedAt, ctx.now() - ctx.config.DEAD_LETTER_DAYS * DAY_MS)
  await deleteInSteps(db, deadLetters, [deadLetters.id], old)
}
