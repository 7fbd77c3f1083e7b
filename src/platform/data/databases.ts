import { eq, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import { configOf, type Env, shardBindings } from '../config.ts'
import { type Committed, committedIn } from '../events/events.ts'
import { constraintOf, Failure } from '../http/errors.ts'
import { type Cost, countedSession } from './d1-session.ts'
import { type Id, newId, shardOf } from './ids.ts'

/** One D1 database. `batch` is the unit of work: one transaction, one round trip. */
export type Database = DrizzleD1Database & {
  readonly name: string
  readonly now: () => number
  readonly $client: D1DatabaseSession
}

/** A value in a query: itself, or what stands for it in a prepared one. */
export type Bound<T> = T | Placeholder

export type Databases = {
  directory: Database
  index: Database
  /** The database of shard `n`. */
  shard: (n: number) => Database
  /** The database that holds the thing with this id. Throws `not_found` for an id of a shard that does not exist. */
  shardOf: (id: Id) => Database
  /** The numbers of all shards. */
  shards: readonly number[]
  /** The header value that lets the client read its own writes from now on, or null when no database was used. */
  bookmarks: () => string | null
}

type Options = {
  cost: Cost
  now: () => number
  /** The bookmarks that the client brought back. */
  bookmarks?: string
  /** Where a session starts without one: queue consumers and other writers of truth ask for the primary. */
  start?: 'first-primary' | 'first-unconstrained'
  /** Told of the events that a batch has just committed. */
  onCommit: (events: Committed[]) => void
}

/** Opens lazily the databases that one request or queue batch touches. */
export function openDatabases(env: Env, options: Options): Databases {
  const bindings = shardBindings(env)
  const received = parseBookmarks(options.bookmarks)
  const open = new Map<string, { db: Database; session: D1DatabaseSession }>()

  function use(name: string, binding: D1Database | undefined): Database {
    const known = open.get(name)
    if (known) return known.db
    if (!binding) throw new Failure('not_found')
    const start = received.get(name) ?? options.start ?? 'first-unconstrained'
    const onTrip = name === 'd' ? () => (options.cost.directoryTrips += 1) : () => {}
    const session = countedSession(binding.withSession(start), options.cost, onTrip)
    const db = announcing(drizzle(session as unknown as D1Database), name, options)
    open.set(name, { db, session })
    return db
  }

  const shard = (n: number) => use(String(n), bindings.get(n))
  return {
    get directory() {
      return use('d', env.DIRECTORY)
    },
    get index() {
      return use('i', env.INDEX)
    },
    shard,
    shardOf: (id) => shard(shardOf(id)),
    shards: [...bindings.keys()],
    bookmarks: () => {
      for (const [name, { session }] of open) {
        const bookmark = session.getBookmark()
        if (bookmark) received.set(name, bookmark)
      }
      return received.size > 0 ? [...received].map(([name, bookmark]) => `${name}=${bookmark}`).join(';') : null
    },
  }
}

/**
 * The databases as their primaries have them, for one look at the truth: the first query of a session goes to the primary,
 * those after it to any replica that has caught up with the first. What is written here announces no events.
 */
export function atPrimary({ env, cost, now }: { env: Env; cost: Cost; now: () => number }): Databases {
  return openDatabases(env, { cost, now, start: 'first-primary', onCommit: () => {} })
}

/** A drizzle database whose `batch` tells of the events it committed. */
function announcing(db: DrizzleD1Database, name: string, { now, onCommit }: Options): Database {
  const batch = db.batch.bind(db)
  return Object.assign(db, {
    name,
    now,
    batch: async (statements: Parameters<typeof batch>[0]) => {
      const results = await batch(statements)
      const committed = committedIn(statements, results as readonly unknown[], name)
      if (committed.length > 0) onCommit(committed)
      return results
    },
  }) as unknown as Database
}

/** `d=…;0=…`: one bookmark per database. What is not of that form is ignored: a bookmark only ever asks for fresher data. */
function parseBookmarks(header: string | undefined): Map<string, string> {
  const pairs = (header ?? '').slice(0, 8_000).split(';')
  const known = pairs.map((pair) => /^(d|i|\d{1,2})=([0-9a-f]{8}(?:-[0-9a-f]{8,40}){2,3})$/.exec(pair))
  return new Map(known.flatMap((match) => (match ? [[match[1]!, match[2]!]] : [])))
}

/** A shard that takes new accounts, chosen at random idIn `OPEN_SHARDS`. */
export function openShard(env: Env): number {
  const open = configOf(env).OPEN_SHARDS
  return open[Math.floor(Math.random() * open.length)]!
}

/** Whether an id column holds one of `ids`: one bound parameter however many they are (D1 takes a hundred). */
export function idIn(column: SQLiteColumn, ids: readonly Id[]): SQL {
  return ids.length === 1 ? eq(column, ids[0]) : sql`${column} in (select value from json_each(${idList(ids)}))`
}

/** Ids as one bound parameter. */
export function idList(ids: readonly Id[]): string {
  return `[${ids.join(',')}]`
}

/** The ids of a `idList` as a table to start a join from, which reads a row less for each than `idIn` does. */
export function idTable(db: Database, list: Bound<string>) {
  const id = sql<Id>`value`.as('found_id')
  return db.select({ id }).from(sql`json_each(${list})`).as('found')
}

/** Runs `write` with a new id of `shard`. A clash with an id in use fails the whole batch, which is run again with another. */
export async function withFreshId<T>(
  ctx: { now: () => number },
  shard: number,
  column: string,
  write: (id: Id) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await write(newId(shard, ctx.now()))
    } catch (error) {
      if (attempt === 5 || constraintOf(error) !== column) throw error
    }
  }
}

/** Ids grouped by the shard that holds them. */
export function byShard(ids: Iterable<Id>): Map<number, Id[]> {
  const groups = new Map<number, Id[]>()
  for (const id of ids) {
    const shard = shardOf(id)
    groups.set(shard, [...(groups.get(shard) ?? []), id])
  }
  return groups
}

/** Runs `work` on every item, at most six at a time: the platform's limit of open connections per invocation. */
export async function mapConcurrently<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let at = 0; at < items.length; at += 6) {
    results.push(...(await Promise.all(items.slice(at, at + 6).map(work))))
  }
  return results
}

/** Asks each shard for those of `ids` that it holds, in one wave; ids of shards that do not exist find nothing. */
export async function fromShards<R>(
  databases: Databases,
  ids: Iterable<Id>,
  ask: (db: Database, mine: Id[]) => Promise<R[]> | PromiseLike<R[]>,
): Promise<R[]> {
  const held = [...byShard(new Set(ids))].filter(([shard]) => databases.shards.includes(shard))
  return (await mapConcurrently(held, async ([shard, mine]) => ask(databases.shard(shard), mine))).flat()
}
