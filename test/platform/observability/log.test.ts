import { sql } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { idempotencyKeys } from '../../../src/platform/data/idempotency.ts'
import { toId } from '../../../src/platform/data/ids.ts'
import { log } from '../../../src/platform/observability/log.ts'
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

test('failed deferred work is logged and does not fail the request', async () => {
  const ctx = contextWith()
  ctx.defer(() => Promise.reject(new Error('too late')))
  await expect(ctx.settled()).resolves.toHaveLength(1)
  expect(last()).toMatchObject({ level: 'error', message: 'deferred work failed', error: { message: 'too late' } })
})
