import { Column, is, SQL } from 'drizzle-orm'
import { type DrizzleD1Database, drizzle } from 'drizzle-orm/d1'
import { shardBindings } from '../config.ts'
import { notFound } from '../failures.ts'
import type { Cost } from '../observability/cost.ts'
import type { Trace } from '../observability/trace.ts'
import { countedSession, type Pace } from './d1-session.ts'
import { type Id, shardOf } from './ids.ts'

/** Enough for a bookmark of each of the 64 shards. The rest of a longer header is ignored. */
export const MAX_BOOKMARKS_LENGTH = 8_000

type Batch = DrizzleD1Database['batch']
type Session = ReturnType<typeof countedSession>

/** One D1 database. A batch is the unit of work: one transaction, one round trip. */
export type Database = DrizzleD1Database & {
  /** `0`, `1`, … for shards, `d` for the directory, `i` for the index, `a` for the audit log, `n` for analytics. */
  readonly name: string
  readonly now: () => number
  readonly trace: Trace
  readonly $client: Session
  /** A batch that, once committed, also sends the events that `record` put into it. */
  readonly commit: Batch
}

export type Databases = {
  directory: Database
  index: Database
  audit: Database
  analytics: Database
  /** The database of shard `n`. */
  shard: (n: number) => Database
  /** The database that holds the record with this id. Throws `not_found` for an id of a shard that does not exist. */
  shardOf: (id: Id) => Database
  /** The numbers of all shards. */
  shards: readonly number[]
  /** The header value that lets the client read its own writes, or null when no database was used. */
  bookmarks: () => string | null
}

type Options = {
  cost: Cost
  now: () => number
  trace: Trace
  /** The D1 bookmarks that the client sent (`X-Bookmarks`). */
  bookmarks?: string
  /** Where a session without a bookmark starts. Queue consumers and jobs use the primary to act on the latest state. */
  start?: 'first-primary' | 'first-unconstrained'
  pace?: Pace
  onCommit: (statements: readonly object[], results: readonly unknown[], name: string) => void
}

/** The databases of one request or queue batch. Each is opened when it is first used. */
export function openDatabases(env: Env, options: Options): Databases {
  const bindings = shardBindings(env)
  const received = parseBookmarks(options.bookmarks)
  const open = new Map<string, { db: Database; session: Session }>()

  function use(name: string, binding: D1Database | undefined): Database {
    const known = open.get(name)
    if (known) return known.db
    if (!binding) throw notFound()
    const start = received.get(name) ?? options.start ?? 'first-unconstrained'
    const session = countedSession(binding.withSession(start), options.cost, name === 'd', options.pace)
    const db = connect(binding, session, name, options)
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
    get audit() {
      return use('a', env.AUDIT)
    },
    get analytics() {
      return use('n', env.ANALYTICS)
    },
    shard,
    shardOf: (id) => shard(shardOf(id)),
    shards: [...bindings.keys()],
    bookmarks: () => {
      for (const [name, { session }] of open) received.set(name, session.getBookmark() ?? received.get(name) ?? '')
      const known = [...received].filter(([, bookmark]) => bookmark !== '')
      return known.length > 0 ? known.map(([name, bookmark]) => `${name}=${bookmark}`).join(';') : null
    },
  }
}

/**
 * Databases for reading the latest state: the first query of a session goes to the primary, later queries to a replica
 * that has at least the state of the first. `commit` sends no events here.
 */
export function atPrimary({
  env,
  cost,
  now,
  trace,
}: Pick<Options, 'cost' | 'now' | 'trace'> & { env: Env }): Databases {
  return openDatabases(env, { cost, now, trace, start: 'first-primary', onCommit: () => {} })
}

/** A drizzle database over a counted session. It replaces `prepare` and `batch`, because drizzle calls nothing else. */
function connect(binding: D1Database, session: Session, name: string, { now, trace, onCommit }: Options): Database {
  const client: D1Database = Object.assign(Object.create(binding), session)
  const db = drizzle(client)
  const commit: Batch = async (statements) => {
    const results = await db.batch(statements)
    onCommit(statements, results, name)
    return results
  }
  db.select = checked(db.select)
  db.selectDistinct = checked(db.selectDistinct)
  return Object.assign(db, { name, now, trace, commit, $client: session })
}

/** Wraps a select function to refuse two columns of the same name. */
function checked<S extends Database['select'] | Database['selectDistinct']>(select: S): S {
  return new Proxy(select, {
    apply: (target, db, args) => {
      requireDistinctNames(args[0])
      return Reflect.apply(target, db, args)
    },
  })
}

/** Throws if two columns have one name: as rows are objects, one would be lost and drizzle would shift the others. */
export function requireDistinctNames(fields: Record<string, unknown> = {}): void {
  const names = Object.values(fields).flatMap((field) => columnName(field) ?? [])
  const repeated = names.find((name, at) => names.indexOf(name) < at)
  if (repeated !== undefined)
    throw new Error(`two columns of a select are named ${repeated}: give one an alias with as()`)
}

function columnName(field: unknown): string | undefined {
  if (is(field, Column)) return field.name
  return is(field, SQL.Aliased) ? field.fieldAlias : undefined
}

/** `d=…;0=…`: one bookmark per database. Malformed ones are ignored: a bookmark only requests fresher data. */
function parseBookmarks(header: string | undefined): Map<string, string> {
  if (!header) return new Map()
  const pairs = header.slice(0, MAX_BOOKMARKS_LENGTH).split(';')
  return new Map(
    pairs.flatMap((pair): [string, string][] => {
      const [, name, bookmark] = /^(d|i|a|n|\d{1,2})=([0-9a-f]{8}(?:-[0-9a-f]{8,40}){2,3})$/.exec(pair) ?? []
      return name && bookmark ? [[name, bookmark]] : []
    }),
  )
}
