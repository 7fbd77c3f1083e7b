import type { SystemCtx } from '../../src/platform/context.ts'
import type { Database } from '../../src/platform/data/databases.ts'
import type { Id } from '../../src/platform/data/ids.ts'

type Paused<C> = { ctx: C; reached: Promise<void>; resume: () => void }
type Hold = <T>(write: () => PromiseLike<T>) => Promise<T>

function pause<C extends SystemCtx>(ctx: C, held: (db: Database, hold: Hold) => object): Paused<C> {
  const [reached, resumed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const hold: Hold = async (write) => {
    reached.resolve()
    await resumed.promise
    return write()
  }
  const paused = (db: Database) => Object.assign(Object.create(db), held(db, hold))
  const shard = (n: number) => paused(ctx.db.shard(n))
  const shardOf = (id: Id) => paused(ctx.db.shardOf(id))
  return { ctx: { ...ctx, db: { ...ctx.db, shard, shardOf } }, reached: reached.promise, resume: resumed.resolve }
}

/** A context whose shard batches wait for `resume`, so that a test can change data that the verb has already read. */
export function pauseBatches<C extends SystemCtx>(ctx: C): Paused<C> {
  return pause(ctx, (db, hold) => ({
    batch: (statements: Parameters<typeof db.batch>[0]) => hold(() => db.batch(statements)),
    commit: (statements: Parameters<typeof db.commit>[0]) => hold(() => db.commit(statements)),
  }))
}
