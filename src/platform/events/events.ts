import { z } from '@hono/zod-openapi'
import { and, eq, inArray, max, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { SystemCtx } from '../context.ts'
import { changed, rowIf } from '../data/conditions.ts'
import type { Database } from '../data/databases.ts'
import { Id, id, idAfter, newId } from '../data/ids.ts'
import { Trace } from '../observability/trace.ts'

/** Committed events for which at least one subscription has not succeeded yet. Acknowledging an event deletes its row. */
export const outbox = sqliteTable('outbox', {
  id: id('id').primaryKey(),
  type: text('type').notNull(),
  data: text('data', { mode: 'json' }).$type<unknown>().notNull(),
  trace: text('trace', { mode: 'json' }).$type<Trace>().notNull(),
  /** The subscriptions that must still run; null means all of them. */
  pending: text('pending', { mode: 'json' }).$type<string[]>(),
  /** When the queue retries it after a failure, epoch ms; null before it has failed. */
  retryAt: integer('retry_at'),
})

export type EventDefinition<T = unknown> = { type: string; data: z.ZodType<T>; isStep?: boolean }
export type StepDefinition<T = unknown> = EventDefinition<T> & { isStep: true }

/** Declares an event of a service. Its data contains ids, never content; subscriptions read the current state. */
export function defineEvent<T>(type: string, data: z.ZodType<T>): EventDefinition<T> {
  return { type, data }
}

/** Declares an event that only continues long work, with one subscription. `onAny` leaves it out. */
export function defineStep<T>(type: string, data: z.ZodType<T>): StepDefinition<T> {
  return { type, data, isStep: true }
}

/** A committed event, as the body of an `EVENTS` message. `source` names the database whose outbox holds the row. */
export const Committed = z.object({
  version: z.literal(1),
  source: z.string(),
  id: Id,
  type: z.string(),
  data: z.unknown(),
  trace: Trace,
})
export type Committed = z.infer<typeof Committed>

const Inserted = z.array(z.object({ id: Id, data: z.unknown() }))
const recorded = new WeakMap<object, Pick<Committed, 'type' | 'trace'>>()

/**
 * A statement that inserts an event into the outbox; with `when`, only if that condition holds. Put it into the
 * `commit` of the change that the event announces. The event's id exceeds all ids in the outbox, so it is unique there.
 * `read` has ids of `data` that the caller does not know: the statement reads them from rows.
 * @example await db.commit([db.delete(follows).where(pair), record(db, accountUnfollowed, follow, changed)])
 */
export function record<T>(
  db: Database,
  event: EventDefinition<T>,
  data: T,
  when?: SQL,
  read?: { [Name in keyof T]?: SQLWrapper },
) {
  const shard = db.name === 'd' ? 0 : Number(db.name) // directory event ids never become record ids, so 0 is safe
  const id = sql<Id>`max(${Number(newId(shard, db.now()))}, coalesce((select ${idAfter(max(outbox.id))} from ${outbox}), 0))`
  const known = event.data.parse(data)
  const withRead = () =>
    Object.entries(read ?? {}).reduce<SQL | string>(
      (json, [name, value]) => sql`json_set(${json}, ${`$.${name}`}, ${value} || '')`,
      JSON.stringify(known),
    )
  const row = { id, type: event.type, data: read ? withRead() : known, trace: db.trace, pending: null, retryAt: null }
  const insert = db.insert(outbox)
  const inserted = when ? insert.select(rowIf(outbox, row, when)) : insert.values(row)
  const statement = inserted.returning({ id: outbox.id, data: outbox.data })
  recorded.set(statement, { type: event.type, trace: db.trace })
  return statement
}

/** For the only subscription of a step: acknowledges it and records the next step, once despite repeats. */
export async function continueWith<T>(db: Database, eventId: Id, event: StepDefinition<T>, data: T): Promise<void> {
  await db.commit([db.delete(outbox).where(eq(outbox.id, eventId)), record(db, event, data, changed)])
}

/** The id of the event that the statement before recorded, for a row with the same id. Valid only if `changed`. */
export const recordedId = sql<Id>`last_insert_rowid()`

/** The events that a batch wrote: those without a condition, and those whose condition held. */
export function committedIn(statements: readonly object[], results: readonly unknown[], source: string): Committed[] {
  return statements.flatMap((statement, i): Committed[] => {
    const event = recorded.get(statement)
    const inserted = event && Inserted.parse(results[i])[0]
    return event && inserted ? [{ version: 1, source, ...inserted, ...event }] : []
  })
}

/** An event that a subscription handles. `data` fits the schema of its definition. */
export type Happened = Pick<Committed, 'id' | 'type' | 'data'>

export type Subscription = {
  /** Null for all events except steps. */
  event: EventDefinition | null
  /** Unique among the subscriptions of its event; the outbox stores the name for retries. */
  name: string
  /** Set by the registry, for log lines. */
  service?: string
  run: (ctx: SystemCtx, data: unknown, eventId: Id) => Promise<void>
  /** Handles all events of a queue batch that one database recorded, in one call. */
  runAll?: (ctx: SystemCtx, events: readonly Happened[]) => Promise<void>
}

/**
 * A reaction to an event. It runs at least once, possibly late or concurrently: make it idempotent (key its effect on
 * `eventId`), read the current state, and treat a missing row as deleted. Only failed subscriptions are retried.
 * @example on(postLiked, 'notify-author', (ctx, { postId, authorId, actorId }, eventId) => notify(ctx, authorId, …))
 */
export function on<T>(
  event: EventDefinition<T>,
  name: string,
  run: (ctx: SystemCtx, data: T, eventId: Id) => Promise<void>,
): Subscription {
  return { event, name, run: async (ctx, data, eventId) => run(ctx, event.data.parse(data), eventId) }
}

/** Like `on`, for what must be fast: one call for all events of a queue batch, before the other subscriptions begin. */
export function onBatch<T>(
  event: EventDefinition<T>,
  name: string,
  run: (ctx: SystemCtx, data: readonly T[]) => Promise<void>,
): Subscription {
  const runOn = async (ctx: SystemCtx, data: readonly unknown[]) =>
    run(
      ctx,
      data.map((each) => event.data.parse(each)),
    )
  return {
    event,
    name,
    runAll: (ctx, events) =>
      runOn(
        ctx,
        events.map(({ data }) => data),
      ),
    run: (ctx, data) => runOn(ctx, [data]),
  }
}

/**
 * One subscription to the events of all services, also of later ones. A call gets those of a queue batch that one
 * database recorded. If it fails, it is retried alone, with all of them, so its effects must be keyed on event ids.
 * @example onAny('count', (ctx, events) => countActivity(ctx, events.flatMap((each) => dataOf(postLiked, each) ?? [])))
 */
export function onAny(name: string, runAll: (ctx: SystemCtx, events: readonly Happened[]) => Promise<void>) {
  const run = async () => {
    throw new Error('the event does not fit its schema')
  }
  return { event: null, name, runAll, run } satisfies Subscription
}

/** The data of an event if it is one of these; otherwise null. */
export function dataOf<T>(event: EventDefinition<T>, { type, data }: Happened): T | null {
  return type === event.type ? event.data.parse(data) : null
}

/** A statement that reads the events of the type in the outbox whose `field` is one of `ids`: they are not handled yet. */
export function pending<T>(db: Database, { type }: EventDefinition<T>, field: keyof T & string, ids: readonly Id[]) {
  // The type and the path are literals, so that SQLite finds a partial index for them.
  const value = sql.raw(`json_extract("data", '$.${field}')`)
  return db
    .select({ data: outbox.data })
    .from(outbox)
    .where(and(eq(outbox.type, sql.raw(`'${type}'`)), inArray(value, [...ids])))
}
