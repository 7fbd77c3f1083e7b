import { applyD1Migrations, type D1Migration, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import type { RevocationFeed } from '../src/platform/security/revocation-feed.object.ts'
import { loadModulesOnce } from './support/modules.ts'

loadModulesOnce()

/** In one transaction, because this runs before each file of tests. */
const apply = (database: D1Database, migrations: D1Migration[]) =>
  applyD1Migrations(database, [{ name: 'all', queries: migrations.flatMap(({ queries }) => queries) }])

const { directory, shard, index, audit, analytics } = env.MIGRATIONS
await Promise.all([
  apply(env.DIRECTORY, directory),
  apply(env.SHARD_0, shard),
  apply(env.SHARD_1, shard),
  apply(env.INDEX, index),
  apply(env.AUDIT, audit),
  apply(env.ANALYTICS, analytics),
])

// A new feed of revocations knows nothing about older tokens. In production it is old.
await runInDurableObject(env.REVOCATIONS.getByName('all'), async (feed: RevocationFeed, { storage }) => {
  await feed.changesSince(null)
  storage.sql.exec('UPDATE beginning SET at = 0')
  Object.assign(feed, { known: null })
})

// Vitest records each line with a stack trace, which would take a third of the CPU time of tests that send many requests.
const { log } = console
console.log = (...line: unknown[]) => {
  if (!String(line[0]).startsWith('{"level":"info"')) log(...line)
}
