import { eq, inArray, type SQL, sql } from 'drizzle-orm'
import type { BatchItem } from 'drizzle-orm/batch'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import { type Bound, query, violates } from './conditions.ts'
import type { Database, Databases } from './databases.ts'
import { type Id, newId, shardOf } from './ids.ts'

/** The Workers limit of open connections per invocation. */
const MAX_CONNECTIONS = 6

/** Whether `column` is one of `ids`. Binds them as one parameter, because D1 accepts at most a hundred parameters. */
export function idIn(column: SQLiteColumn, ids: readonly Id[]): SQL {
  const [first, ...others] = ids
  if (first !== undefined && others.length === 0) return eq(column, first)
  return inArray(column, listed(idList(ids)))
}

/** The items of a JSON array, for `inArray`. */
export function listed(json: string): SQL {
  return sql`(select value from json_each(${json}))`
}

/** Ids as a JSON array for one bound parameter. */
export function idList(ids: readonly Id[]): string {
  return `[${ids.join(',')}]`
}

/** An `idList` as a table. A join from it reads one row less per id than `idIn`. */
export function idTable(list: Bound<string>) {
  const id = sql<Id>`value`.as('skeleton_id')
  return query.select({ id }).from(sql`json_each(${list})`).as('skeleton')
}

/** Thrown when an id is taken outside the database, such as in R2. `withFreshId` then tries another id. */
export class IdTaken extends Error {}

/** Runs `write` with a new id. If the id is taken (in `column`, or `IdTaken`), tries another, at most five in all. */
export async function withFreshId<T>(
  ctx: { now: () => number },
  shard: number,
  column: SQLiteColumn,
  write: (id: Id) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write(newId(shard, ctx.now()))
    } catch (error) {
      if (attempt === 5 || !(error instanceof IdTaken || violates(error, column))) throw error
    }
  }
}

/** A random shard of `OPEN_SHARDS`, for a new account. */
export function openShard({ config }: { config: { OPEN_SHARDS: readonly number[] } }): number {
  const shard = config.OPEN_SHARDS[Math.floor(Math.random() * config.OPEN_SHARDS.length)]
  if (shard === undefined) throw new Error('OPEN_SHARDS is empty')
  return shard
}

/** Runs `work` on every item, at most six at a time, and returns the results in order. */
export async function mapConcurrently<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let at = 0; at < items.length; at += MAX_CONNECTIONS) {
    results.push(...(await Promise.all(items.slice(at, at + MAX_CONNECTIONS).map(work))))
  }
  return results
}

/** Like `mapConcurrently`, but throws the first failure only after all work has settled, so that it stops no other work. */
export async function settleConcurrently<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const failures = await mapConcurrently(items, async (item) => {
    try {
      await work(item)
      return null
    } catch (error) {
      return { error }
    }
  })
  const failed = failures.find((failure) => failure !== null)
  if (failed) throw failed.error
}

/** Runs one query per shard in parallel, each with that shard's ids. Ids of unknown shards are ignored. */
export async function fromShards<R>(
  databases: Databases,
  ids: Iterable<Id>,
  select: (db: Database, group: Id[]) => PromiseLike<readonly R[]>,
): Promise<R[]> {
  const groups = [...Map.groupBy(new Set(ids), shardOf)].filter(([shard]) => databases.shards.includes(shard))
  return (await mapConcurrently(groups, async ([shard, group]) => select(databases.shard(shard), group))).flat()
}

/** Commits the statements of all items, in one batch for each shard. `idOf` names the shard of an item. */
export async function commitByShard<T>(
  databases: Databases,
  items: readonly T[],
  idOf: (item: T) => Id,
  statements: (db: Database, item: T) => readonly BatchItem<'sqlite'>[],
): Promise<void> {
  const groups = [...Map.groupBy(items, (item) => shardOf(idOf(item)))]
  await mapConcurrently(groups, async ([shard, group]) => {
    const db = databases.shard(shard)
    const [first, ...others] = group.flatMap((item) => statements(db, item))
    if (first) await db.commit([first, ...others])
  })
}
