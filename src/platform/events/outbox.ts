import { and, asc, eq, gt, isNull, lt, or } from 'drizzle-orm'
import { type SystemCtx, withLog } from '../context.ts'
import { createContext } from '../create-context.ts'
import type { Database } from '../data/databases.ts'
import { firstIdAt, type Id, timeOf } from '../data/ids.ts'
import { idIn } from '../data/shards.ts'
import { Committed, type EventDefinition, outbox, type Subscription } from './events.ts'

/** The relay has this long to send an event before the sweeper does. */
const RELAY_MS = 5_000
const NEW_MS = 3_000
const MAX_SEEN = 5_000
/** If a retry is overdue by this long, the queue has lost its message. */
const OVERDUE_MS = 60_000
/** The clocks of two isolates, and the times of the queue, differ by less. */
const CLOCK_SKEW_MS = 1_000

/** The events of one database after `cursor` whose messages may be lost, oldest first, in pages of 100. */
export async function* backlog(db: Database, cursor: Id | null, now: number): AsyncGenerator<Committed[]> {
  const isLost = or(isNull(outbox.retryAt), lt(outbox.retryAt, now - OVERDUE_MS))
  const old = and(lt(outbox.id, firstIdAt(now - RELAY_MS)), isLost)
  for (let after = cursor; ; ) {
    const rows = await db
      .select()
      .from(outbox)
      .where(after ? and(old, gt(outbox.id, after)) : old)
      .orderBy(asc(outbox.id))
      .limit(100)
    const last = rows.at(-1)
    if (!last) return
    yield rows.map(({ id, type, data, trace }) => ({ version: 1, source: db.name, id, type, data, trace }))
    after = last.id
  }
}

export async function hasEvents(db: Database): Promise<boolean> {
  return (await db.select({ id: outbox.id }).from(outbox).limit(1)).length > 0
}

/** The database whose outbox an event came from: `0`, `1`, … for shards, `d` for the directory. */
export function sourceOf(ctx: SystemCtx, source: string): Database {
  return source === 'd' ? ctx.db.directory : ctx.db.shard(Number(source))
}

type Delivery = { message: Message; event: Committed }
export type Reactions = { events: readonly EventDefinition[]; subscriptions: readonly Subscription[] }

/** Runs the subscriptions of each event. If all succeed, its row is deleted; if not, the row keeps the failed names. */
export async function consumeEvents(
  batch: MessageBatch,
  env: Env,
  waitUntil: (work: Promise<unknown>) => void,
  reactions: Reactions,
): Promise<void> {
  const ctx = createContext({ env, waitUntil, start: 'first-primary' })
  const deliveries = batch.messages.flatMap((message): Delivery[] => {
    const event = Committed.safeParse(message.body)
    if (event.success) return [{ message, event: event.data }]
    retryLater(ctx, message, event.error)
    return []
  })
  const bySource = [...Map.groupBy(deliveries, ({ event }) => event.source)]
  await Promise.all(bySource.map(([source, group]) => processBatch(ctx, source, group, reactions)))
}

/** Handles the events of one database, so that an unresponsive database does not delay the events of another. */
async function processBatch(
  ctx: SystemCtx,
  source: string,
  deliveries: readonly Delivery[],
  reactions: Reactions,
): Promise<void> {
  try {
    const db = sourceOf(ctx, source)
    const isNew = deliveries.map((delivery) => isFirst(delivery, ctx.now())).every(Boolean)
    const waiting = isNew ? asRecorded(deliveries) : await unacknowledged(db, deliveries)
    const due = deliveries.filter(({ event }) => !isRetriedLater(waiting.get(event.id), ctx.now()))
    const early = await startBatches(ctx, due, waiting, reactions)
    const outcomes = await Promise.all(
      due.map(async (delivery) => ({
        delivery,
        failure: await deliver(ctx, delivery.event, waiting, reactions, early),
      })),
    )
    await settle(ctx, db, outcomes)
  } catch (error) {
    for (const { message, event } of deliveries) retryLater(ctx, message, error, event)
  }
}

type Waiting = Pick<typeof outbox.$inferSelect, 'pending' | 'retryAt'>
type Failure = { error: unknown; pending: string[] | null }
type Outcome = { delivery: Delivery; failure: Failure | null }

/** The events that this isolate has handled lately, so that it finds most duplicates. */
const seen = new Set<string>()

/** Whether the relay has just sent the event, and nothing else has. Its row then need not be read. */
function isFirst({ message, event: { source, id } }: Delivery, now: number): boolean {
  const key = `${source}:${id}`
  const isRepeated = message.attempts > 1 || seen.has(key)
  if (seen.size >= MAX_SEEN) seen.clear()
  seen.add(key)
  return !isRepeated && timeOf(id) > now - NEW_MS
}

function asRecorded(deliveries: readonly Delivery[]): Map<Id, Waiting> {
  return new Map(deliveries.map(({ event }) => [event.id, { pending: null, retryAt: null }]))
}

/** The rows of events that are still in the outbox. All other events have been handled before. */
async function unacknowledged(db: Database, deliveries: readonly Delivery[]): Promise<Map<Id, Waiting>> {
  const ids = deliveries.map(({ event }) => event.id)
  const { id, pending, retryAt } = outbox
  const rows = await db.select({ id, pending, retryAt }).from(outbox).where(idIn(id, ids))
  return new Map(rows.map((row) => [row.id, row]))
}

/** Whether another message of the same event will retry it. This one is then dropped, so that duplicates do not multiply. */
function isRetriedLater(row: Waiting | undefined, now: number): boolean {
  return row?.retryAt != null && row.retryAt > now + CLOCK_SKEW_MS
}

/** In one trip, deletes the rows of the events that succeeded, and stores what is left to do of those that failed. */
async function settle(ctx: SystemCtx, db: Database, outcomes: readonly Outcome[]): Promise<void> {
  const done = outcomes.flatMap(({ delivery, failure }) => (failure ? [] : [delivery.event.id]))
  const kept = outcomes.flatMap(({ delivery: { event, message }, failure }) => {
    if (!failure) return []
    const retryAt = ctx.now() + delaySeconds(message) * 1_000
    return [db.update(outbox).set({ pending: failure.pending, retryAt }).where(eq(outbox.id, event.id))]
  })
  const deleted = done.length > 0 ? [db.delete(outbox).where(idIn(outbox.id, done))] : []
  const [first, ...others] = [...deleted, ...kept]
  if (first) await db.batch([first, ...others])
  for (const { delivery, failure } of outcomes) {
    if (failure) retryLater(ctx, delivery.message, failure.error, delivery.event)
  }
}

/** Returns null if no subscription is left to run. */
async function deliver(
  ctx: SystemCtx,
  event: Committed,
  waiting: ReadonlyMap<Id, Waiting>,
  { events, subscriptions }: Reactions,
  early: Early,
): Promise<Failure | null> {
  const row = waiting.get(event.id)
  if (!row) return null
  const { pending } = row
  const definition = events.find(({ type }) => type === event.type)
  const due = subscriptions.filter((subscription) => isDue(subscription, definition, pending))
  const isKnown = definition !== undefined && (pending === null || due.length === pending.length)
  // Retry an unknown name: this isolate may run an old version of the code. A removed name ends as a dead letter.
  if (!isKnown) return { error: new Error(`the event ${event.type} or a subscription of it is unknown`), pending }
  const outcomes = await Promise.allSettled(
    due.map((subscription) => early.get(subscription)?.get(event.id) ?? react(ctx, event, subscription)),
  )
  const failures = outcomes.flatMap((outcome, i) =>
    outcome.status === 'rejected' ? [{ error: outcome.reason, name: due[i]?.name }] : [],
  )
  const [first] = failures
  return first ? { error: first.error, pending: failures.flatMap(({ name }) => name ?? []) } : null
}

function isDue({ event, name }: Subscription, of: EventDefinition | undefined, pending: string[] | null): boolean {
  const isFor = event === null ? of?.isStep !== true : event.type === of?.type
  return isFor && (pending === null || pending.includes(name))
}

type Early = ReadonlyMap<Subscription, ReadonlyMap<Id, Promise<void>>>

/** Runs the subscriptions that handle all their events in one call. Waits for those of `onBatch`, which must be fast. */
async function startBatches(
  ctx: SystemCtx,
  deliveries: readonly Delivery[],
  waiting: ReadonlyMap<Id, Waiting>,
  { events: definitions, subscriptions }: Reactions,
): Promise<Early> {
  const early = new Map<Subscription, Map<Id, Promise<void>>>()
  const fit = deliveries.flatMap(({ event }) => {
    const row = waiting.get(event.id)
    const definition = definitions.find(({ type }) => type === event.type)
    // A malformed event must not fail the others.
    return row && definition?.data.safeParse(event.data).success ? [{ event, definition, pending: row.pending }] : []
  })
  for (const subscription of subscriptions) {
    const { runAll } = subscription
    const due = fit.filter(({ definition, pending }) => runAll && isDue(subscription, definition, pending))
    const [first] = due
    if (!first || !runAll) continue
    const events = new Map(due.map(({ event }) => [event.id, event]))
    const own = contextFor(ctx, first.event, subscription)
    const run = logged(own, runAll(own, [...events.values()]))
    run.catch(() => {}) // handled where the outcome of each event is awaited
    early.set(subscription, new Map([...events.keys()].map((id) => [id, run])))
  }
  const urgent = [...early].filter(([{ event }]) => event !== null)
  await Promise.allSettled(urgent.flatMap(([, runs]) => [...runs.values()]))
  return early
}

function contextFor(ctx: SystemCtx, { type, trace }: Committed, { name, service }: Subscription): SystemCtx {
  return withLog({ ...ctx, trace }, { ...trace, service, event: type, subscription: name })
}

function react(ctx: SystemCtx, event: Committed, subscription: Subscription): Promise<void> {
  const own = withLog(contextFor(ctx, event, subscription), { eventId: event.id })
  return logged(own, subscription.run(own, event.data, event.id))
}

function logged({ log }: SystemCtx, run: Promise<void>): Promise<void> {
  return run.catch((error: unknown) => {
    log.warn('a subscription failed', { error })
    throw error
  })
}

function retryLater(ctx: SystemCtx, message: Message, error: unknown, event?: Committed): void {
  const { attempts } = message
  ctx.log.warn('an event will be retried', { type: event?.type, eventId: event?.id, ...event?.trace, attempts, error })
  message.retry({ delaySeconds: delaySeconds(message) })
}

function delaySeconds({ attempts }: Message): number {
  return Math.min(2 ** attempts, 300)
}
