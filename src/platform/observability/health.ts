import { OpenAPIHono } from '@hono/zod-openapi'
import { configOf, type Env, shardBindings } from '../config.ts'
import { mapConcurrently } from '../data/databases.ts'
import type { AppEnv } from '../http/route.ts'
import { open, seal } from '../security/crypto.ts'
import { withTimeout } from '../timeout.ts'
import { log } from './log.ts'

const DEADLINE_MS = 2_000
const KEPT_MS = 1_000

type Check = { name: string; run: () => Promise<unknown> }
type Outcome = { name: string; ok: boolean; ms: number }

let latest: { outcomes: Outcome[]; at: number } | null = null
let checkingUntil = 0

/** For whoever watches the Worker: `/healthz` says that it runs, `/readyz` which of the things it needs answer. */
export const healthRoutes = new OpenAPIHono<AppEnv>()
  .get('/healthz', (c) => c.json({ status: 'ok', version: versionOf(bindings(c.env)) }))
  .get('/readyz', async (c) => {
    const env = bindings(c.env)
    const outcomes = await lately(env)
    const ready = outcomes.every((outcome) => outcome.ok)
    const body = { status: ready ? 'ok' : 'failing', version: versionOf(env), checks: outcomes }
    return c.json(body, ready ? 200 : 503)
  })

/** What was found a moment ago. One request looks, and whoever asks meanwhile waits for what it finds. */
async function lately(env: Env): Promise<Outcome[]> {
  while (!latest || latest.at < Date.now() - KEPT_MS) {
    if (checkingUntil < Date.now()) {
      checkingUntil = Date.now() + 4 * DEADLINE_MS
      latest = { outcomes: await mapConcurrently(checks(env), attempt), at: Date.now() }
      checkingUntil = 0
    } else await scheduler.wait(10)
  }
  return latest.outcomes
}

const bindings = (env: unknown) => env as Env
const versionOf = (env: Partial<Env>) => env.VERSION?.id ?? null

function checks(env: Env): Check[] {
  const databases = { DIRECTORY: env.DIRECTORY, INDEX: env.INDEX }
  const shards = [...shardBindings(env)].map(([n, database]) => [`SHARD_${n}`, database] as const)
  // Of these it is only seen that they are there: asking most of them would send or count something.
  const present = ['EVENTS', 'FANOUT', 'DELIVERIES', 'IMAGES', 'MAIL', 'ACTIVITY', 'ASSETS', 'VERSION'] as const
  return [
    { name: 'configuration', run: () => tryKeys(env) },
    ...[...Object.entries(databases), ...shards].map(([name, database]) => ({ name, run: () => isMigrated(database) })),
    { name: 'CACHE', run: async () => env.CACHE.get('health') },
    { name: 'MEDIA', run: async () => env.MEDIA.head('health') },
    { name: 'LIMITER', run: async () => env.LIMITER.getByName('health').lease({ quota: 1, window: 60 }, 0) },
    { name: 'HUB', run: async () => env.HUB.getByName('health').closeRevoked('', { before: 0 }) },
    { name: 'SWEEPER', run: async () => env.SWEEPER.getByName('health').ready() },
    ...present.map((name) => ({ name, run: async () => isBound(env[name]) })),
  ]
}

async function tryKeys(env: Env): Promise<void> {
  const config = configOf(env)
  await open(config, await seal(config, 'health', 'health'), 'health')
}

async function isMigrated(database: D1Database): Promise<void> {
  const rows = await database.prepare('SELECT 1 FROM d1_migrations LIMIT 1').run()
  if (rows.results.length === 0) throw new Error('no migration was applied')
}

function isBound(binding: unknown): void {
  if (binding === undefined) throw new Error('not bound')
}

/** Names and times only go out; what went wrong is in the log. */
async function attempt({ name, run }: Check): Promise<Outcome> {
  const started = Date.now()
  const ok = await withTimeout(run(), DEADLINE_MS).then(
    () => true,
    (error: unknown) => {
      log.error('not ready', { check: name, error })
      return false
    },
  )
  return { name, ok, ms: Date.now() - started }
}
