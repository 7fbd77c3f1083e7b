import type { SystemCtx } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'

/** A context that holds its first batch, once `reached`, until `resume`: what the verb read before may be outdated. */
export function pauseFirstBatch<C extends SystemCtx>(ctx: C): { ctx: C; reached: Promise<void>; resume: () => void } {
  const [reached, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const shardOf = (id: Id) => {
    const db = ctx.db.shardOf(id)
    const batch = async (statements: Parameters<typeof db.batch>[0]) => {
      reached.resolve()
      await resumed.promise
      return db.batch(statements)
    }
    return Object.assign(Object.create(db), { batch })
  }
  return { ctx: { ...ctx, db: { ...ctx.db, shardOf } }, reached: reached.promise, resume: resumed.resolve }
}
