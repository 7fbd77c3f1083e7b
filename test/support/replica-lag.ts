import { env } from 'cloudflare:workers'

/** Imitates a lagging replica: selects outside a batch in unconstrained sessions go to `replica`, which lacks rows. */
export function laggingDatabase(primary: D1Database, replica: D1Database): D1Database {
  const withSession = (start: string) => {
    const session = primary.withSession(start)
    const reader = start === 'first-unconstrained' ? replica.withSession() : session
    return {
      prepare: (query: string) => (/^\s*select/i.test(query) ? reader : session).prepare(query),
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

/** Bindings whose replicas all lag: a shard's replica lacks the shard's rows, the directory's even its tables. */
export function withLaggingReplicas(bindings: Env): Env {
  return {
    ...bindings,
    DIRECTORY: laggingDatabase(env.DIRECTORY, env.INDEX),
    SHARD_0: laggingDatabase(env.SHARD_0, env.SHARD_1),
    SHARD_1: laggingDatabase(env.SHARD_1, env.SHARD_0),
  } as Env
}
