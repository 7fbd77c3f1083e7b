import { and, eq, exists, lt, notLike, sql } from 'drizzle-orm'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { SystemCtx } from '../context.ts'
import { createContext } from '../create-context.ts'
import { boolean } from '../data/columns.ts'
import { one, query, rowIf } from '../data/conditions.ts'
import type { Database } from '../data/databases.ts'
import { DAY_MS, deleteInSteps } from '../data/expiry.ts'
import { Committed, outbox } from './events.ts'
import { sourceOf } from './outbox.ts'
import { queueOf, queues } from './queues.ts'

/** Messages that exhausted the retries of their queue, kept for a replay (`npm run replay`). */
export const deadLetters = sqliteTable('dead_letters', {
  id: text('id').primaryKey(),
  queue: text('queue').notNull(),
  body: text('body', { mode: 'json' }).$type<unknown>().notNull(),
  failedAt: integer('failed_at').notNull(),
  /** Set by `npm run replay`; the sweeper then sends the message again. */
  replay: boolean('replay').notNull().default(false),
  /** For an event: the subscriptions that have not succeeded; null means all of them. */
  pending: text('pending', { mode: 'json' }).$type<string[]>(),
})

/** Consumes the dead-letter queues. If a message cannot be stored, only this message is retried. */
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
      const kept = await keepDeadLetter(ctx, queue, message)
      message.ack()
      if (kept) ctx.log.error('a message became a dead letter', about)
    } catch (error) {
      ctx.log.error('a dead letter cannot be stored', { ...about, error })
      message.retry()
    }
  }
}

/** Returns false for an event that is no longer in the outbox: another copy of the message was handled or stored. */
async function keepDeadLetter(ctx: SystemCtx, queue: string, message: Message): Promise<boolean> {
  const event = Committed.safeParse(message.body).data
  const letter = { id: message.id, queue, body: message.body, failedAt: ctx.now() }
  if (!event) {
    const [first = 0] = ctx.db.shards
    await ctx.db.shard(first).insert(deadLetters).values(letter).onConflictDoNothing()
    return true
  }
  const db = sourceOf(ctx, event.source)
  const own = eq(outbox.id, event.id)
  const pending = sql`${query.select({ pending: outbox.pending }).from(outbox).where(own)}`
  const isWaiting = exists(query.select(one).from(outbox).where(own))
  const [, deleted] = await db.batch([
    db
      .insert(deadLetters)
      .select(rowIf(deadLetters, { ...letter, pending, replay: false }, isWaiting))
      .onConflictDoNothing(),
    db.delete(outbox).where(own).returning({ id: outbox.id }),
  ])
  return deleted.length > 0
}

/** Resends dead letters marked for replay. An event returns to the outbox in the batch that deletes its letter. */
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

/** Events stay until somebody replays them, because what they announce, such as an audit entry, must not be lost. */
export async function deleteOldDeadLetters(ctx: SystemCtx, db: Database): Promise<void> {
  const old = lt(deadLetters.failedAt, ctx.now() - ctx.config.DEAD_LETTER_DAYS * DAY_MS)
  const isTask = notLike(deadLetters.queue, `%-${queues.EVENTS.name}`)
  await deleteInSteps(db, deadLetters, [deadLetters.id], and(old, isTask)!)
}
