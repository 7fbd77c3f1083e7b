import { and, asc, eq, gt, lt, sql } from 'drizzle-orm'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { createContext, type SystemCtx } from './context.ts'
import { among, type Database } from './db.ts'
import type { Env } from './env.ts'
import { Committed, outbox, type Subscription } from './events.ts'
import { firstIdAt, type Id } from './ids.ts'

/** Messages that failed more often than their queue retries; kept until they are replayed (`npm run replay`). */
export const deadLetters = sqliteTable('dead_letters', {
  id: text('id').primaryKey(),
  queue: text('queue').notNull(),
  body: text('body').notNull(),
  failedAt: integer('failed_at').notNull(),
  /** Set by the operator (`npm run replay`); the sweeper then sends the message again. */
  replay: integer('replay', { mode: 'boolean' }).notNull().default(false),
})

/** The events of one database older than `before` (epoch ms) and after `cursor`, oldest first, in pages of a hundred. */
export async function* backlog(db: Database, cursor: Id | null, before: number): AsyncGenerator<Committed[]> {
  const old = lt(outbox.id, firstIdAt(before))
  for (let after = cursor; ; ) {
    const rows = await db
      .select()
      .from(outbox)
      .where(after ? and(old, gt(outbox.id, after)) : old)
      .orderBy(asc(outbox.id))
      .limit(100)
    if (rows.length === 0) return
    yield rows.map((row) => ({ source: db.name, id: row.id, type: row.type, data: JSON.parse(row.data) }))
    after = rows.at(-1)!.id
  }
}

/** Whether the outbox holds any event, on its way or not. */
export async function hasEvents(db: Database): Promise<boolean> {
  return (await db.select({ id: outbox.id }).from(outbox).limit(1)).length > 0
}

/** The database whose outbox an event came from: `0`, `1`, … for shards, `d` for the directory. */
export function sourceOf(ctx: SystemCtx, source: string): Database {
  return source === 'd' ? ctx.db.directory : ctx.db.shard(Number(source))
}

/**
 * The consumer of `EVENTS`: runs every subscriber of each event and acknowledges by deleting the outbox row.
 * A failing event is retried alone; the others of the batch are done.
 */
export async function consumeEvents(
  batch: MessageBatch,
  env: Env,
  waitUntil: (work: Promise<unknown>) => void,
  subscriptions: readonly Subscription[],
): Promise<void> {
  const ctx = createContext({ env, waitUntil, start: 'first-primary' })
  const done = new Map<string, Id[]>()
  await Promise.all(
    batch.messages.map(async (message) => {
      const event = Committed.parse(message.body)
      try {
        await deliver(ctx, event, subscriptions)
        done.set(event.source, [...(done.get(event.source) ?? []), event.id])
      } catch (error) {
        ctx.log.warn('an event will be retried', {
          type: event.type,
          eventId: event.id,
          attempts: message.attempts,
          error,
        })
        message.retry({ delaySeconds: Math.min(2 ** message.attempts, 300) })
      }
    }),
  )
  for (const [source, ids] of done) await acknowledge(sourceOf(ctx, source), ids)
}

async function deliver(ctx: SystemCtx, event: Committed, subscriptions: readonly Subscription[]): Promise<void> {
  const mine = subscriptions.filter((subscription) => subscription.event.type === event.type)
  for (const subscription of mine) await subscription.handle(ctx, event.data, event.id)
}

/** Deletes the outbox rows of events whose work is done. */
async function acknowledge(db: Database, ids: Id[]): Promise<void> {
  await db.delete(outbox).where(among(outbox.id, ids))
}

/** The consumer of the dead-letter queues: one batch per message keeps it for replay and takes it out of the outbox. */
export async function keepDeadLetters(
  batch: MessageBatch,
  env: Env,
  waitUntil: (work: Promise<unknown>) => void,
): Promise<void> {
  const ctx = createContext({ env, waitUntil, start: 'first-primary' })
  const queue = batch.queue.replace(/-dead$/, '')
  for (const message of batch.messages) {
    const event = Committed.safeParse(message.body)
    const db = event.success ? sourceOf(ctx, event.data.source) : ctx.db.shard(ctx.db.shards[0]!)
    const letter = { id: message.id, queue, body: JSON.stringify(message.body), failedAt: ctx.now() }
    await db.batch([
      db.insert(deadLetters).values(letter).onConflictDoNothing(),
      db.delete(outbox).where(event.success ? eq(outbox.id, event.data.id) : sql`0`),
    ])
    ctx.log.error('a message was put aside for replay', { queue, messageId: message.id })
  }
}

/** Sends again the dead letters that the operator marked. Events go back into the outbox, in the batch that takes them from here. */
export async function takeReplays(ctx: SystemCtx, db: Database): Promise<void> {
  const letters = await db.select().from(deadLetters).where(eq(deadLetters.replay, true)).limit(100)
  for (const letter of letters) {
    const body: unknown = JSON.parse(letter.body)
    const event = Committed.safeParse(body)
    const forget = db.delete(deadLetters).where(eq(deadLetters.id, letter.id))
    if (event.success) {
      const { id, type, data } = event.data
      await db.batch([
        db
          .insert(outbox)
          .values({ id, type, data: JSON.stringify(data) })
          .onConflictDoNothing(),
        forget,
      ])
    } else {
      await (letter.queue.endsWith('-fanout') ? ctx.env.FANOUT : ctx.env.DELIVERIES).send(body)
      await forget
    }
  }
}
