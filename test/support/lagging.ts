import { env } from 'cloudflare:workers'
import type { Env } from '../../src/platform/config.ts'

/**
 * A database read from a replica that has nothing of it yet, by whoever brings no bookmark and asks for no primary. D1
 * sends writes to the primary.
 */
export function lagging(primary: D1Database, replica: D1Database): D1Database {
  const withSession = (start: string) => {
    const session = primary.withSession(start)
    const behind = start === 'first-unconstrained' ? replica.withSession() : session
    return {
      prepare: (query: string) => (/^\s*select/i.test(query) ? behind : session).prepare(query),
      batch: (statements: D1PreparedStatement[]) => session.batch(statements),
      getBookmark: () => session.getBookmark(),
    }
  }
  return {
    withSession,
    prepare: (query: string) => primary.prepare(query),
    batch: (statements: D1PreparedStatement[]) => primary.batch(statements),
  } as unknown as D1Database
}

/** The bindings, where all replicas lag behind: those of the shards have no row yet, that of the directory not even tables. */
export function withLaggingReplicas(bindings: Env): Env {
  return {
    ...bindings,
    DIRECTORY: lagging(env.DIRECTORY, env.INDEX),
    SHARD_0: lagging(env.SHARD_0, env.SHARD_1),
    SHARD_1: lagging(env.SHARD_1, env.SHARD_0),
  } as Env
}
