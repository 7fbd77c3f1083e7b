import { z } from '@hono/zod-openapi'
import { type SQL, sql } from 'drizzle-orm'
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import type { SystemCtx } from '../context.ts'
import type { Database } from '../data/databases.ts'
import { Id, id, idAfter, newId } from '../data/ids.ts'

/** Events that were committed and not yet acknowledged by every subscriber. The row goes when the work is done. */
export const outbox = sqliteTable('outbox', {
  id: id('id').primaryKey(),
  type: text('type').notNull(),
  data: text('data').notNull(),
})

export type EventDefinition<T = unknown> = { type: string; data: z.ZodType<T> }

/** Declares a fact that a service announces. Its data are ids only: a subscriber reads the things again. */
export function defineEvent<T>(type: string, data: z.ZodType<T>): EventDefinition<T> {
  return { type, data }
}

/** An event on its way: the body of an `EVENTS` message. `source` names the database whose outbox holds the row. */
export const Committed = z.object({ source: z.string(), id: Id, type: z.string(), data: z.unknown() })
export type Committed = z.infer<typeof Committed>

const recorded = new WeakMap<object, { type: string; data: unknown }>()

/**
 * A statement that puts the event into the outbox of `db`, for the same batch as the change it tells of.
 * With `when`, the event is recorded only if that holds in the database (`changes() > 0`).
 * Its id tells its shard, so that those of different databases differ, and never clashes with one that waits there: it is
 * the larger of a new one and the next after the last.
 */
export function record<T>(db: Database, event: EventDefinition<T>, data: T, when?: SQL) {
  const body = JSON.stringify(event.data.parse(data))
  const fresh = sql<Id>`max(${Number(newId(shardOfSource(db.name), db.now()))}, coalesce((select ${idAfter(sql`max(id)`)} from ${outbox}), 0))`
  const insert = db.insert(outbox)
  const inserted = when
    ? insert.select(sql`select ${fresh}, ${event.type}, ${body} where ${when}`)
    : insert.values({ id: fresh, type: event.type, data: body })
  const statement = inserted.returning({ id: outbox.id })
  recorded.set(statement, { type: event.type, data })
  return statement
}

/** Events of the directory have nobody to be told apart from: they reach no list. */
function shardOfSource(source: string): number {
  return source === 'd' ? 0 : Number(source)
}

/** The events idIn a batch's statements that really went in. */
export function committedIn(statements: readonly object[], results: readonly unknown[], source: string): Committed[] {
  return statements.flatMap((statement, i) => {
    const event = recorded.get(statement)
    const row = event && (results[i] as { id: Id }[])[0]
    return event && row ? [{ source, id: row.id, ...event }] : []
  })
}

export type Subscription = {
  event: EventDefinition
  handle: (ctx: SystemCtx, data: unknown, eventId: Id) => Promise<void>
}

/**
 * A reaction to an event. It runs at least once, perhaps twice at once and perhaps late: make its effect keyed on
 * `eventId` or on the thing itself, read the truth again, and take absence for "gone since".
 */
export function on<T>(
  event: EventDefinition<T>,
  handle: (ctx: SystemCtx, data: T, eventId: Id) => Promise<void>,
): Subscription {
  return { event, handle: async (ctx, data, eventId) => handle(ctx, event.data.parse(data), eventId) }
}

/**
 * Keeps a copy of a fact that is enforced elsewhere: reads the truth (`atPrimary`, for a replica may lag), writes the copy,
 * and reads again until the truth has stood still, so that whoever writes last has seen the newest truth, whatever the order
 * of events. Answers that truth.
 */
export async function mirror<T>(read: () => Promise<T>, write: (truth: T) => Promise<unknown>): Promise<T> {
  let truth = await read()
  for (;;) {
    await write(truth)
    const now = await read()
    if (JSON.stringify(now) === JSON.stringify(truth)) return truth
    truth = now
  }
}
