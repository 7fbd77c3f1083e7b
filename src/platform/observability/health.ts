import { type Context, Hono } from 'hono'
import { configOf, shardBindings } from '../config.ts'
import { mapConcurrently } from '../data/shards.ts'
import { queues } from '../events/queues.ts'
import { Failure } from '../failures.ts'
import { countByAddress } from '../http/address-limit.ts'
import type { AppEnv } from '../http/app-env.ts'
import { viewerOf } from '../http/authentication.ts'
import { shedBy } from '../http/shedding.ts'
import { admit } from '../security/admit.ts'
import { open, seal } from '../security/crypto.ts'
import type { KeySource } from '../security/tokens.ts'
import { withTimeout } from '../timeout.ts'
import { log } from './log.ts'

const TIMEOUT_MS = 2_000
const KEPT_MS = 1_000

type Check = { name: string; run: () => Promise<unknown> }
type Outcome = { name: string; ok: boolean; ms: number }

let latest: { outcomes: Outcome[]; at: number } | null = null

/** For monitoring: `/healthz` reports that the Worker runs, `/readyz` whether all of its dependencies respond. */
export function healthRoutes(keys: KeySource) {
  return new Hono<AppEnv>()
    .get('/healthz', (c) => c.json({ status: 'ok', version: versionOf(c.env) }))
    .get('/readyz', async (c) => {
      const showDetails = await isOperator(c, keys) // first, so that a refused request runs no check
      const outcomes = await recentOutcomes(c.env)
      const ready = outcomes.every((outcome) => outcome.ok)
      const status = ready ? 'ok' : 'failing'
      const details = () => ({ version: versionOf(c.env), shed: c.var.ctx && shedBy(c.var.ctx), checks: outcomes })
      const body = { status, ...(showDetails && details()) }
      return c.json(body, ready ? 200 : 503)
    })
}

/** Whether an administrator sends the request. Throws only `rate_limited`: all other callers get the plain status. */
async function isOperator(c: Context<AppEnv>, keys: KeySource): Promise<boolean> {
  const { ctx } = c.var
  const authorization = c.req.header('authorization')
  const admitted = ctx && authorization !== undefined && (await admitOperator(c, authorization, keys))
  await countByAddress(c)
  return admitted ?? false
}

async function admitOperator(c: Context<AppEnv>, authorization: string, keys: KeySource): Promise<boolean> {
  const { ctx } = c.var
  try {
    ctx.viewer = await viewerOf(ctx, authorization, keys)
    c.set('isCounted', true)
    await admit(ctx, { access: 'admin' }, (headers) => c.set('allowance', headers))
    return true
  } catch (error) {
    if (error instanceof Failure && error.code === 'rate_limited') throw error
    return false
  }
}

let checkingUntil = 0

/** Outcomes at most a second old. One request runs the checks. The others poll, as they cannot await its promise. */
async function recentOutcomes(env: Env): Promise<Outcome[]> {
  while (!latest || latest.at < Date.now() - KEPT_MS) {
    if (checkingUntil < Date.now()) {
      checkingUntil = Date.now() + 4 * TIMEOUT_MS
      latest = { outcomes: await mapConcurrently(checks(env), attempt), at: Date.now() }
      checkingUntil = 0
    } else await scheduler.wait(10)
  }
  return latest.outcomes
}

const versionOf = (env: Partial<Env>) => env.VERSION?.id ?? null

function checks(env: Env): Check[] {
  const databases = { DIRECTORY: env.DIRECTORY, INDEX: env.INDEX, AUDIT: env.AUDIT, ANALYTICS: env.ANALYTICS }
  const shards = [...shardBindings(env)].map(([n, database]) => [`SHARD_${n}`, database] as const)
  // These bindings are not called, because calling most of them would send or count something.
  const present = {
    ...pick(env, Object.keys(queues)),
    ...pick(env, ['IMAGES', 'MAIL', 'METRICS', 'ACTIVITY_POINTS', 'ASSETS', 'VERSION', 'EXPORTER', 'ERASURES']),
  }
  return [
    { name: 'configuration', run: () => tryKeys(env) },
    ...[...Object.entries(databases), ...shards].map(([name, database]) => ({ name, run: () => isMigrated(database) })),
    { name: 'CACHE', run: async () => env.CACHE.get('health') },
    { name: 'MEDIA', run: async () => env.MEDIA.head('health') },
    { name: 'KEYS', run: async () => env.KEYS.head('health') },
    { name: 'EXPORTS', run: async () => env.EXPORTS.head('health') },
    { name: 'ACTIVITY_LOG', run: async () => env.ACTIVITY_LOG.head('health') },
    { name: 'GUARD', run: async () => env.GUARD.getByName('health').lease({ quota: 1, window: 60 }, 0) },
    { name: 'REVOCATIONS', run: async () => env.REVOCATIONS.getByName('health').changesSince(null) },
    { name: 'HUB', run: async () => env.HUB.getByName('health').ready() },
    { name: 'SWEEPER', run: async () => env.SWEEPER.getByName('health').ready() },
    { name: 'CONVERSATION', run: async () => env.CONVERSATION.getByName('health').ready() },
    { name: 'WEBHOOK', run: async () => env.WEBHOOK.getByName('health').ready() },
    ...Object.entries(present).map(([name, binding]) => ({ name, run: async () => requireBound(binding) })),
  ]
}

function pick(env: Env, names: string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, Reflect.get(env, name)]))
}

async function tryKeys(env: Env): Promise<void> {
  const config = configOf(env)
  await open(config, await seal(config, 'health', 'health'), 'health')
}

async function isMigrated(database: D1Database): Promise<void> {
  const rows = await database.prepare('SELECT 1 FROM d1_migrations LIMIT 1').run()
  if (rows.results.length === 0) throw new Error('no migration was applied')
}

function requireBound(binding: unknown): void {
  if (binding === undefined) throw new Error('not bound')
}

async function attempt({ name, run }: Check): Promise<Outcome> {
  const started = Date.now()
  const ok = await withTimeout(run(), TIMEOUT_MS).then(
    () => true,
    (error: unknown) => {
      log.error('a health check failed', { check: name, error })
      return false
    },
  )
  return { name, ok, ms: Date.now() - started }
}
