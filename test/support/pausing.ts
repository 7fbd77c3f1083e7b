import type { SystemCtx } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'

/** A context whose first batch, once `reached`, waits until it may `goOn`: what was read before it has grown old. */
export function pausing<C extends SystemCtx>(ctx: C): { ctx: C; reached: Promise<void>; goOn: () => void } {
  const [reached, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const shardOf = (id: Id) => {
    const db = ctx.db.shardOf(id)
    const batch = async (statements: Parameters<typeof db.batch>[0]) => {
      reached.resolve()
      await going.promise
      return db.batch(statements)
    }
    return Object.assign(Object.create(db), { batch })
  }
  return { ctx: { ...ctx, db: { ...ctx.db, shardOf } }, reached: reached.promise, goOn: going.resolve }
}
