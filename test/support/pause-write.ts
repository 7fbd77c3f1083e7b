import type { SystemCtx } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'
import { Committed } from '../../src/platform/events/events.ts'
import { notificationSubscriptions } from '../../src/services/notifications/subscriptions.ts'
import type { Message } from './manual-queues.ts'

/** Runs only the notification subscriptions of an event. */
export async function runNotifications(ctx: SystemCtx, { body }: Message): Promise<void> {
  const { type, data, id } = Committed.parse(body)
  for (const { event, run } of notificationSubscriptions) if (event.type === type) await run(ctx, data, id)
}

/**
 * Runs the notification subscriptions of an event, but holds their inserts or deletes until `resume`, so that a test
 * can change data that they have already read. `reached` resolves when the first write is held.
 */
export function pauseWrite(ctx: SystemCtx, kind: 'insert' | 'delete') {
  const [reached, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const hold = async (write: () => PromiseLike<unknown>) => {
    reached.resolve()
    await resumed.promise
    return write()
  }
  const shardOf = (id: Id) => {
    const db = ctx.db.shardOf(id)
    const paused = {
      insert: (table: never) => ({
        select: (row: never) => ({
          onConflictDoNothing: () => hold(() => db.insert(table).select(row).onConflictDoNothing()),
        }),
      }),
      delete: (table: never) => ({ where: (which: never) => hold(() => db.delete(table).where(which)) }),
    }
    return Object.assign(Object.create(db), { [kind]: paused[kind] })
  }
  const paused = { ...ctx, db: { ...ctx.db, shardOf } }
  return {
    run: (message: Message) => runNotifications(paused, message),
    reached: reached.promise,
    resume: resumed.resolve,
  }
}
