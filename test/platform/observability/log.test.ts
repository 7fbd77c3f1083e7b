import { sql } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { idempotencyKeys } from '../../../src/platform/data/idempotency.ts'
import { toId } from '../../../src/platform/data/ids.ts'
import { log, logOf } from '../../../src/platform/observability/log.ts'
import { contextWith } from '../../support/platform.ts'

const lines: string[] = []

beforeEach(() => {
  lines.length = 0
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
})
afterEach(() => vi.restoreAllMocks())

const last = () => JSON.parse(lines.at(-1)!)

test('each log line is one JSON object with its level, time and fields', () => {
  log.info('one', { n: 1 })
  log.warn('two\nlines "quoted"')
  log.error('three')
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(['info', 'warn', 'error'])
  expect(JSON.parse(lines[0]!)).toEqual({
    level: 'info',
    message: 'one',
    at: expect.stringMatching(/^\d{4}-.*Z$/),
    n: 1,
  })
  expect(lines.every((line) => !line.includes('\n'))).toBe(true)
})

test('fields bound to a logger are on each of its lines', () => {
  const bound = log.with({ requestId: 'r' }).with({ traceId: 't' })
  bound.info('x', { n: 1 })
  expect(last()).toMatchObject({ requestId: 'r', traceId: 't', n: 1 })
})

test('a failed SQL statement is logged without its bound values', async () => {
  const { db } = contextWith()
  const secret = 'ada@example.org\n    at home (secret:1:1)'
  const row = { accountId: toId(1), operation: secret, key: 'secret', fingerprint: '', resultId: toId(1), expiresAt: 0 }
  const insert = () => db.shard(0).insert(idempotencyKeys).values(row)
  await insert()
  const failing: (() => PromiseLike<unknown>)[] = [
    insert,
    () => db.shard(0).batch([insert()]),
    () => db.shard(0).run(sql`select ${secret} from nowhere`),
  ]
  for (const fail of failing) {
    const error = await Promise.resolve(fail()).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    log.error('failed', { error, nested: { error } })
    expect(last().error.message).not.toBe('')
    expect(lines.at(-1)).not.toMatch(/secret|ada@/)
  }
})

test('an error is logged with its causes and stack', () => {
  log.error('failed', { error: new Error('outer', { cause: new TypeError('inner') }) })
  expect(last().error).toMatchObject({
    name: 'Error',
    message: 'outer',
    cause: { name: 'TypeError', message: 'inner' },
  })
  expect(last().error.stack[0]).toMatch(/^at /)
})

test('in development, a request is logged in one short line, without its traceId and costs', () => {
  const request = {
    requestId: '3d546caf-2903-46ec-a252-e0123f175f9b',
    traceId: 't',
    method: 'GET',
    path: '/v1/posts/1',
  }
  logOf({ ENVIRONMENT: 'development' }).with(request).info('request', { status: 404, ms: 12, route: '/v1/*', trips: 1 })
  expect(lines).toEqual(['GET /v1/posts/1 404 12 ms 3d546caf'])
})

test('in development, a line that is not about a request begins with its level and ends with the stack of its error', () => {
  const bound = logOf({ ENVIRONMENT: 'development' }).with({ service: 'posts', accountId: undefined })
  bound.warn('a task will be retried', { attempts: 2, error: new TypeError('broken') })
  expect(lines[0]!.split('\n')[0]).toBe('WARN a task will be retried service=posts attempts=2 TypeError: broken')
  expect(lines[0]!.split('\n')[1]).toMatch(/^ {4}at /)
})

test.each([
  { ENVIRONMENT: 'staging' },
  { ENVIRONMENT: 'production' },
  { ENVIRONMENT: 'development', LOG_FORMAT: 'json' },
])('lines are JSON in %o', (settings) => {
  logOf(settings as Parameters<typeof logOf>[0]).info('request', { status: 200 })
  expect(last()).toMatchObject({ level: 'info', message: 'request', status: 200 })
})

test('failed deferred work is logged and does not fail the request', async () => {
  const ctx = contextWith()
  ctx.defer(() => Promise.reject(new Error('too late')))
  await expect(ctx.settled()).resolves.toHaveLength(1)
  expect(last()).toMatchObject({ level: 'error', message: 'deferred work failed', error: { message: 'too late' } })
})
