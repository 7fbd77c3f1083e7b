import { and, asc, eq, gt, lt } from 'drizzle-orm'
import { type SystemCtx, withLog } from '../context.ts'
import { createContext } from '../create-context.ts'
import type { Database } from '../data/databases.ts'
import { firstIdAt, type Id } from '../data/ids.ts'
import { idIn } from '../data/shards.ts'
import { Committed, type EventDefinition, outbox, type Subscription } from './events.ts'

/** The events of one database older than `before` (epoch ms) and after `cursor`, oldest first, in pages of 100. */
export async function* backlog(db: Database, cursor: Id | null, before: number): AsyncGenerator<Committed[]> {
  const old = lt(outbox.id, firstIdAt(before))
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
  const failed = new Set<Delivery>()
  const fail = (delivery: Delivery, error: unknown) => {
    failed.add(delivery)
    retryLater(ctx, delivery.message, error, delivery.event)
  }
  try {
    const db = sourceOf(ctx, source)
    const waiting = await unacknowledged(db, deliveries)
    const early = await startBatches(ctx, deliveries, waiting, reactions)
    await Promise.all(
      deliveries.map(async (delivery) => {
        const pending = waiting.get(delivery.event.id)
        if (pending === undefined) return
        await deliver(ctx, db, delivery.event, pending, reactions, early).catch((error: unknown) =>
          fail(delivery, error),
        )
      }),
    )
    const done = deliveries.filter((delivery) => !failed.has(delivery)).map(({ event }) => event.id)
    if (done.length > 0) await db.delete(outbox).where(idIn(outbox.id, done))
  } catch (error) {
    for (const delivery of deliveries) if (!failed.has(delivery)) fail(delivery, error)
  }
}

/** The pending subscriptions of each event that is still in the outbox. All other events have been handled before. */
async function unacknowledged(db: Database, deliveries: readonly Delivery[]): Promise<Map<Id, string[] | null>> {
  const ids = deliveries.map(({ event }) => event.id)
  const rows = await db.select({ id: outbox.id, pending: outbox.pending }).from(outbox).where(idIn(outbox.id, ids))
  return new Map(rows.map((row) => [row.id, row.pending]))
}

async function deliver(
  ctx: SystemCtx,
  db: Database,
  event: Committed,
  pending: string[] | null,
  { events, subscriptions }: Reactions,
  early: Early,
): Promise<void> {
  const due = subscriptions.filter((subscription) => isDue(subscription, event, pending))
  // Retry an unknown name: this isolate may run an old version of the code. A removed name ends as a dead letter.
  if (!events.some(({ type }) => type === event.type)) throw new Error(`the event ${event.type} is unknown`)
  if (pending && due.length < pending.length) throw new Error(`a subscription of ${event.type} is unknown`)
  const outcomes = await Promise.allSettled(
    due.map((subscription) => early.get(subscription)?.get(event.id) ?? react(ctx, event, subscription)),
  )
  const failures = outcomes.flatMap((outcome, i) =>
    outcome.status === 'rejected' ? [{ outcome, name: due[i]?.name }] : [],
  )
  const [first] = failures
  if (!first) return
  const names = failures.flatMap(({ name }) => name ?? [])
  if (names.length < due.length) await db.update(outbox).set({ pending: names }).where(eq(outbox.id, event.id))
  throw first.outcome.reason
}

function isDue({ event, name }: Subscription, { type }: Committed, pending: string[] | null): boolean {
  return event.type === type && (pending === null || pending.includes(name))
}

type Early = ReadonlyMap<Subscription, ReadonlyMap<Id, Promise<void>>>

/** Runs the subscriptions that handle all their events in one call. Returns how this has ended for each event. */
async function startBatches(
  ctx: SystemCtx,
  deliveries: readonly Delivery[],
  waiting: ReadonlyMap<Id, string[] | null>,
  { subscriptions }: Reactions,
): Promise<Early> {
  const early = new Map<Subscription, Map<Id, Promise<void>>>()
  for (const subscription of subscriptions) {
    const { name, service, runAll } = subscription
    if (!runAll) continue
    const events = deliveries.flatMap(({ event }) => {
      const pending = waiting.get(event.id)
      // A malformed event must not fail the others.
      const isFit = subscription.event.data.safeParse(event.data).success
      return pending !== undefined && isDue(subscription, event, pending) && isFit ? [event] : []
    })
    const [first] = events
    if (!first) continue
    const { type, trace } = first
    const own = withLog({ ...ctx, trace }, { ...trace, service, event: type, subscription: name })
    const data = new Map(events.map((event) => [event.id, event.data]))
    const run = logged(own, runAll(own, [...data.values()]))
    early.set(subscription, new Map([...data.keys()].map((id) => [id, run])))
  }
  await Promise.allSettled([...early.values()].flatMap((runs) => [...runs.values()]))
  return early
}

function react(
  ctx: SystemCtx,
  { id, type, data, trace }: Committed,
  { name, service, run }: Subscription,
): Promise<void> {
  const own = withLog({ ...ctx, trace }, { ...trace, service, event: type, eventId: id, subscription: name })
  return logged(own, run(own, data, id))
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
  message.retry({ delaySeconds: Math.min(2 ** attempts, 300) })
}
