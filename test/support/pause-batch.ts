import type { SystemCtx } from '../../src/platform/context.ts'
import type { Id } from '../../src/platform/data/ids.ts'

/** A context whose shard batches wait for `resume`, so that a test can change data that the verb has already read. */
export function pauseFirstBatch<C extends SystemCtx>(ctx: C): { ctx: C; reached: Promise<void>; resume: () => void } {
  const [reached, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const shardOf = (id: Id) => {
    const db = ctx.db.shardOf(id)
    const paused =
      (run: typeof db.batch): typeof db.batch =>
      async (statements) => {
        reached.resolve()
        await resumed.promise
        return run(statements)
      }
    const [batch, commit] = [paused(db.batch.bind(db)), paused(db.commit)]
    return Object.assign(Object.create(db), { batch, commit })
  }
  return { ctx: { ...ctx, db: { ...ctx.db, shardOf } }, reached: reached.promise, resume: resumed.resolve }
}
