import { env } from 'cloudflare:workers'
import { z } from '@hono/zod-openapi'
import { afterEach, expect, test, vi } from 'vitest'
import { operation } from '../../../src/platform/http/operation.ts'
import { requestsInFlight } from '../../../src/platform/observability/pending.ts'
import { movableClock } from '../../support/clock.ts'
import { smallApp } from '../../support/edge.ts'

const clock = movableClock()
const base = { access: 'public', summary: 'An operation of a test', returns: null } as const
const Note = z.strictObject({ text: z.string() })
const Cursor = z.strictObject({ cursor: z.string().optional() })
let released = Promise.withResolvers<void>()
const held = () => released.promise

const { call } = smallApp([
  operation({ ...base, id: 'readList', method: 'get', path: '/list', query: Cursor, run: () => {} }),
  operation({ ...base, id: 'readThing', method: 'get', path: '/thing', run: () => {} }),
  operation({ ...base, id: 'readKeys', method: 'get', path: '/auth/keys', run: () => {} }),
  operation({ ...base, id: 'writeThing', method: 'put', path: '/thing', run: () => {} }),
  operation({
    ...base,
    id: 'keepNote',
    method: 'put',
    path: '/note',
    body: Note,
    example: { text: 'a' },
    run: () => {},
  }),
  operation({ ...base, id: 'hold', method: 'put', path: '/hold', run: held }),
  operation({
    ...base,
    id: 'readDatabase',
    method: 'put',
    path: '/database',
    run: async (ctx) => void (await ctx.db.shard(0).$client.prepare('select 1').all()),
  }),
])

const calls = {
  list: () => send('/list'),
  read: () => send('/thing'),
  keys: () => send('/auth/keys'),
  write: () => send('/thing', { method: 'PUT' }),
}
const send = (path: string, init?: RequestInit, bindings = {}) =>
  call(null, `/v1${path}`, init, { ...env, MAX_REQUESTS_IN_FLIGHT: '2', ...bindings })

/** The statuses of one request of each kind, sent one after the other. */
async function statuses(): Promise<Record<string, number>> {
  const entries: [string, number][] = []
  for (const [name, request] of Object.entries(calls)) entries.push([name, (await request()).status])
  return Object.fromEntries(entries)
}

const busy: Promise<Response>[] = []

/** Sends requests that stay in flight until the end of the test. */
async function occupy(count: number): Promise<void> {
  const before = requestsInFlight.count()
  for (let n = 0; n < count; n++) busy.push(send('/hold', { method: 'PUT' }))
  await vi.waitUntil(() => requestsInFlight.count() === before + count)
}

afterEach(async () => {
  released.resolve()
  await Promise.all(busy.splice(0))
  released = Promise.withResolvers()
})

const everything = { list: 204, read: 204, keys: 204, write: 204 }

test('lists are refused first, then other reads, then writes, and logins never', async () => {
  expect(await statuses()).toEqual(everything)
  await occupy(2)
  expect(await statuses()).toEqual({ ...everything, list: 503 })
  await occupy(1)
  expect(await statuses()).toEqual({ ...everything, list: 503, read: 503 })
  await occupy(1)
  expect(await statuses()).toEqual({ list: 503, read: 503, keys: 204, write: 503 })
})

test('a refusal says when to come back, with the headers of every response', async () => {
  await occupy(2)
  const response = await calls.list()
  expect(await response.json()).toMatchObject({ status: 503, code: 'unavailable' })
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'access-control-allow-origin': '*',
    'cache-control': 'private, no-store',
    'x-request-id': expect.any(String),
  })
})

test('a refusal makes no context, and so makes no call and no query', async () => {
  await occupy(2)
  expect((await calls.keys()).headers.has('x-cost')).toBe(true)
  expect((await calls.list()).headers.has('x-cost')).toBe(false)
})

test('everything is answered again as soon as the work has ended', async () => {
  await occupy(4)
  released.resolve()
  await Promise.all(busy)
  expect(await statuses()).toEqual(everything)
})

test('a request that never ends is forgotten after 30 seconds', async () => {
  await occupy(4)
  clock.advance(30_000)
  expect(await statuses()).toEqual(everything)
})

test('requests that wait for their body do not count', async () => {
  const before = requestsInFlight.count()
  const ends: ((text: string) => void)[] = []
  const slowBody = () =>
    new ReadableStream<Uint8Array>({
      start: (body) => {
        ends.push((text) => {
          body.enqueue(new TextEncoder().encode(text))
          body.close()
        })
      },
    })
  const headers = { 'content-type': 'application/json' }
  const slow = [1, 2, 3, 4].map(() => send('/note', { method: 'PUT', headers, body: slowBody() }))
  expect(await statuses()).toEqual(everything)
  expect(requestsInFlight.count()).toBe(before)
  for (const end of ends) end('{"text":"a"}')
  expect((await Promise.all(slow)).map(statusOf)).toEqual([204, 204, 204, 204])
})

test('lists and then other reads are refused while a database does not keep up', async () => {
  const answered = Promise.withResolvers<object>()
  const slow = { prepare: () => ({ all: () => answered.promise }), getBookmark: () => null }
  const bindings = { SHARD_0: { withSession: () => slow } }
  const waiting = [1, 2, 3].map(() =>
    send('/database', { method: 'PUT' }, { ...bindings, MAX_REQUESTS_IN_FLIGHT: '9' }),
  )
  const found = async () => (await Promise.all([send('/list', {}, nine), send('/thing', {}, nine)])).map(statusOf)
  await vi.waitUntil(() => requestsInFlight.count() === 3)
  expect(await found()).toEqual([204, 204])
  clock.advance(1_000)
  expect(await found()).toEqual([503, 204])
  clock.advance(4_000)
  expect(await found()).toEqual([503, 503])
  answered.resolve({ results: [], meta: { rows_read: 0, rows_written: 0 } })
  expect((await Promise.all(waiting)).map(statusOf)).toEqual([204, 204, 204])
  expect(await found()).toEqual([204, 204])
})

const nine = { MAX_REQUESTS_IN_FLIGHT: '9' }
const statusOf = ({ status }: Response) => status

test('a change of what is refused is logged once, and a refused request is not logged', async () => {
  const lines: string[] = []
  vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
  await occupy(2)
  for (let n = 0; n < 3; n++) await calls.list()
  released.resolve()
  await Promise.all(busy)
  await calls.list()
  vi.restoreAllMocks()
  const changes = lines.filter((line) => line.includes('"shed"')).map((line) => JSON.parse(line).shed)
  expect(changes).toEqual(['lists', 'nothing'])
  expect(lines.filter((line) => line.includes('503'))).toEqual([])
})
