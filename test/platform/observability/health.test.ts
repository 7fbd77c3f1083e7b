import { createExecutionContext, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { Hono } from 'hono'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { AppEnv } from '../../../src/platform/http/app-env.ts'
import { edge } from '../../../src/platform/http/edge.ts'
import { addFallbacks } from '../../../src/platform/http/fallbacks.ts'
import { healthRoutes } from '../../../src/platform/observability/health.ts'
import { requestsInFlight } from '../../../src/platform/observability/pending.ts'
import { newViewer } from '../../support/edge.ts'
import { validLogins } from '../../support/logins.ts'
import { mint, testKeys } from '../../support/tokens.ts'

type Health = { status: string; version: string; shed: string; checks: { name: string; ok: boolean; ms: number }[] }

const app = new Hono<AppEnv>()
app.use(...edge(validLogins))
app.route('/', healthRoutes(testKeys))
addFallbacks(app, ['/v1'])

const logged: string[] = []
let clock = Date.now()

beforeEach(() => {
  logged.length = 0
  vi.spyOn(console, 'log').mockImplementation((line: string) => void logged.push(line))
  clock += 60_000 // lets the results that the previous test cached expire
  vi.useFakeTimers({ toFake: ['Date'], now: clock })
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

type Answer = { status: number; headers: Headers; body: Health; text: string }

async function askWith(token: string | null, path: string, bindings: object = {}): Promise<Answer> {
  const headers = token === null ? undefined : { authorization: `Bearer ${token}` }
  const request = new Request(`https://social.test${path}`, { headers })
  const response = await app.fetch(request, { ...env, ...bindings }, createExecutionContext())
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: JSON.parse(text), text }
}

/** Sends a request with the token of an administrator. */
const ask = async (path: string, bindings: object = {}) =>
  askWith(await mint(newViewer().id, { role: 'admin' }), path, bindings)

const failing = ({ checks }: Health) => checks.filter((check) => !check.ok).map((check) => check.name)
const database = (run: () => Promise<unknown>) => ({ prepare: () => ({ run }) })
const broken = () => Promise.reject(new Error('an internal secret'))
const never = () => new Promise(() => {})

test('/healthz returns 200 and the version of the Worker', async () => {
  expect(await ask('/healthz')).toMatchObject({ status: 200, body: { status: 'ok', version: env.VERSION.id } })
})

test('/readyz tells administrators what the load makes the isolate refuse', async () => {
  expect((await ask('/readyz')).body.shed).toBe('nothing')
  const ends = [requestsInFlight.begin(), requestsInFlight.begin()]
  expect((await ask('/readyz', { MAX_REQUESTS_IN_FLIGHT: '2' })).body).toMatchObject({ status: 'ok', shed: 'lists' })
  for (const end of ends) end()
})

test('/readyz checks the configuration and every binding, and returns 200 with the time of each check', async () => {
  const { status, body } = await ask('/readyz')
  expect([status, body.status, failing(body)]).toEqual([200, 'ok', []])
  // Dead-letter queues are not checked, because the Worker does not send to them. The other bindings are for tests.
  const apart = /_DEAD$|^MIGRATIONS$|^__/
  const bound = Object.entries(env).filter(([name, binding]) => typeof binding === 'object' && !apart.test(name))
  const names = bound.map(([name]) => name)
  expect(body.checks.map((check) => check.name).sort()).toEqual(['configuration', ...names].sort())
  expect(body.checks.every((check) => check.ms >= 0)).toBe(true)
})

test('the readiness check of the Sweeper stores nothing and sets no alarm', async () => {
  await ask('/readyz')
  const left = await runInDurableObject(env.SWEEPER.getByName('health'), async (_, { storage }) => [
    (await storage.list()).size,
    await storage.getAlarm(),
  ])
  expect(left).toEqual([0, null])
})

const faults: [string, object][] = [
  ['DIRECTORY', { DIRECTORY: database(broken) }],
  ['SHARD_1', { SHARD_1: database(broken) }],
  ['SHARD_2', { SHARD_2: database(broken) }],
  ['INDEX', { INDEX: database(async () => ({ results: [] })) }],
  ['AUDIT', { AUDIT: database(broken) }],
  ['CACHE', { CACHE: { get: broken } }],
  ['MEDIA', { MEDIA: { head: broken } }],
  ['GUARD', { GUARD: { getByName: () => ({ lease: broken }) } }],
  ['HUB', { HUB: { getByName: () => ({ ready: broken }) } }],
  ['REVOCATIONS', { REVOCATIONS: { getByName: () => ({ changesSince: broken }) } }],
  ['SWEEPER', { SWEEPER: { getByName: () => ({ ready: broken }) } }],
  ['EVENTS', { EVENTS: undefined }],
  ['DELIVERIES', { DELIVERIES: undefined }],
  ['METRICS', { METRICS: undefined }],
  ['ASSETS', { ASSETS: undefined }],
  ['VERSION', { VERSION: undefined }],
  ['configuration', { DATA_KEYS: `k1:${btoa('too short, though long enough to pass')}` }],
]

test.each(faults)('if %s fails, /readyz returns 503 and logs it, and all other checks pass', async (name, bindings) => {
  const { status, body, text } = await ask('/readyz', bindings)
  expect([status, body.status, failing(body)]).toEqual([503, 'failing', [name]])
  expect(text).not.toMatch(/secret|Error|stack/)
  expect(logged.some((line) => line.includes(`"check":"${name}"`))).toBe(true)
})

test('strangers get the status of /readyz and nothing else', async () => {
  const tokens = [
    null,
    'forged.forged.forged',
    await mint(newViewer().id, { role: 'admin', forged: true }),
    await mint(newViewer().id, { role: 'admin', age: 3_700 }),
    await mint(newViewer().id, { role: 'moderator' }),
    await mint(newViewer().id),
  ]
  for (const token of tokens) {
    expect(await askWith(token, '/readyz')).toMatchObject({ status: 200, text: '{"status":"ok"}' })
  }
  clock += 2_000
  vi.setSystemTime(clock)
  const failed = await askWith(null, '/readyz', { SHARD_1: database(broken) })
  expect([failed.status, failed.text]).toEqual([503, '{"status":"failing"}'])
})

test('an administrator whose tokens are revoked, or who sends too many requests, gets no details', async () => {
  const { id } = newViewer()
  const token = await mint(id, { role: 'admin' })
  await env.GUARD.getByName(`user:${id}`).revokeTokensBefore(Date.now())
  expect((await askWith(token, '/readyz')).text).toBe('{"status":"ok"}')
  const busy = await mint(newViewer().id, { role: 'admin' })
  expect((await askWith(busy, '/readyz', { REQUESTS_PER_MINUTE: '1' })).headers.get('ratelimit')).toContain(
    '"user";r=0',
  )
  expect((await askWith(busy, '/readyz', { REQUESTS_PER_MINUTE: '1' })).status).toBe(429)
})

test('with an invalid configuration, /readyz returns 503 to everyone and logs what is wrong', async () => {
  const { status, text } = await ask('/readyz', { AUTH_SECRET: undefined })
  expect([status, text]).toEqual([503, '{"status":"failing"}'])
  expect(logged.some((line) => line.includes('"check":"configuration"'))).toBe(true)
})

test('a dependency that never responds fails its readiness check instead of blocking /readyz', async () => {
  const { status, body } = await ask('/readyz', { SHARD_0: database(never), CACHE: { get: never } })
  expect([status, failing(body)]).toEqual([503, ['SHARD_0', 'CACHE']])
})

test('without AUTH_SECRET, /healthz returns 200, operations return 500 and the log names the variable', async () => {
  expect((await ask('/healthz', { AUTH_SECRET: undefined })).status).toBe(200)
  expect(await ask('/v1/posts', { AUTH_SECRET: undefined })).toMatchObject({ status: 500, body: { code: 'internal' } })
  expect(logged.join()).toContain('AUTH_SECRET is missing')
})

test('concurrent requests to /readyz run the checks once', async () => {
  const counted = { prepare: vi.fn((query: string) => env.SHARD_0.prepare(query)) }
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask('/readyz', { SHARD_0: counted })))
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(counted.prepare).toHaveBeenCalledTimes(1)
})

test('a second request to /readyz within a second returns the previous result', async () => {
  await ask('/readyz')
  expect((await ask('/readyz', { SHARD_0: database(broken) })).status).toBe(200)
})
