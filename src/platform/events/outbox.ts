import { and, asc, eq, gt, lt, sql } from 'drizzle-orm'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { Env } from '../config.ts'
import { createContext, type SystemCtx } from '../context.ts'
import { type Database, idIn } from '../data/databases.ts'
import { firstIdAt, type Id } from '../data/ids.ts'
import { Committed, outbox, type Subscription } from './events.ts'

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

type Delivery = { message: Message; event: Committed }

/**
 * The consumer of `EVENTS`: runs every subscriber of each event and acknowledges by deleting the outbox row. A failing
 * event is retried alone; the others of the batch are done.
 */
export async function consumeEvents(
  batch: MessageBatch,
  env: Env,
  waitUntil: (work: Promise<unknown>) => void,
  subscriptions: readonly Subscription[],
): Promise<void> {
  const ctx = createContext({ env, waitUntil, start: 'first-primary' })
  const deliveries = batch.messages.flatMap((message): Delivery[] => {
    const event = Committed.safeParse(message.body)
    if (event.success) return [{ message, event: event.data }]
    retryLater(ctx, message, event.error)
    return []
  })
  const bySource = [...Map.groupBy(deliveries, ({ event }) => event.source)]
  await Promise.all(bySource.map(([source, mine]) => processBatch(ctx, source, mine, subscriptions)))
}

/** Works off events of one database; if that does not answer, they are retried and those of the others are not. */
async function processBatch(
  ctx: SystemCtx,
  source: string,
  deliveries: readonly Delivery[],
  subscriptions: readonly Subscription[],
): Promise<void> {
  const failed = new Set<Delivery>()
  const giveUp = (delivery: Delivery, error: unknown) => {
    failed.add(delivery)
    retryLater(ctx, delivery.message, error, delivery.event)
  }
  try {
    const db = sourceOf(ctx, source)
    const waiting = await unacknowledged(db, deliveries)
    await Promise.all(
      deliveries
        .filter(({ event }) => waiting.has(event.id))
        .map((it) => deliver(ctx, it.event, subscriptions).catch((error: unknown) => giveUp(it, error))),
    )
    const done = deliveries.filter((it) => !failed.has(it)).map(({ event }) => event.id)
    if (done.length > 0) await db.delete(outbox).where(idIn(outbox.id, done))
  } catch (error) {
    for (const it of deliveries) if (!failed.has(it)) giveUp(it, error)
  }
}

/** Those events that nobody has acknowledged yet: a consumer that lags is sent copies, which must not cost it the work again. */
async function unacknowledged(db: Database, deliveries: readonly Delivery[]): Promise<Set<Id>> {
  const ids = deliveries.map(({ event }) => event.id)
  const rows = await db.select({ id: outbox.id }).from(outbox).where(idIn(outbox.id, ids))
  return new Set(rows.map((row) => row.id))
}

/** Runs every subscriber, and only then throws what failed first: one service's failure keeps no other from its work. */
async function deliver(ctx: SystemCtx, event: Committed, subscriptions: readonly Subscription[]): Promise<void> {
  const mine = subscriptions.filter((subscription) => subscription.event.type === event.type)
  // It comes from a newer version, which may be rolled out any moment: the event waits for it.
  if (mine.length === 0) throw new Error(`nobody reacts to ${event.type}`)
  const failures: unknown[] = []
  for (const { handle } of mine) {
    await handle(ctx, event.data, event.id).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}

function retryLater(ctx: SystemCtx, message: Message, error: unknown, event?: Committed): void {
  const { attempts } = message
  ctx.log.warn('an event will be retried', { type: event?.type, eventId: event?.id, attempts, error })
  message.retry({ delaySeconds: Math.min(2 ** attempts, 300) })
}

/** The consumer of the dead-letter queues. A message that cannot be kept is retried alone. */
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
      ctx.log.error('a message was put aside for replay', about)
    } catch (error) {
      ctx.log.error('a message cannot be put aside', { ...about, error })
      message.retry()
    }
  }
}

/** One batch keeps the message for replay and takes it out of the outbox. */
async function keepDeadLetter(ctx: SystemCtx, queue: string, message: Message): Promise<void> {
  const event = Committed.safeParse(message.body)
  const db = event.success ? sourceOf(ctx, event.data.source) : ctx.db.shard(ctx.db.shards[0]!)
  const letter = { id: message.id, queue, body: JSON.stringify(message.body), failedAt: ctx.now() }
  await db.batch([
    db.insert(deadLetters).values(letter).onConflictDoNothing(),
    db.delete(outbox).where(event.success ? eq(outbox.id, event.data.id) : sql`0`),
  ])
}

/** Sends again the dead letters that the operator marked. Events go back into the outbox, in the batch that takes them from here. */
export async function replayMarked(ctx: SystemCtx, db: Database): Promise<void> {
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
