import { env } from 'cloudflare:workers'
import { count, eq, sql } from 'drizzle-orm'
import { beforeEach, expect, test, vi } from 'vitest'
import { violates } from '../../../src/platform/data/conditions.ts'
import { openDatabases } from '../../../src/platform/data/databases.ts'
import { type Id, idOf, shardOf } from '../../../src/platform/data/ids.ts'
import { fromShards, idIn, mapConcurrently, openShard } from '../../../src/platform/data/shards.ts'
import { toFailure } from '../../../src/platform/http/problems.ts'
import { noCost } from '../../../src/platform/observability/cost.ts'
import { marks } from '../../support/marks.ts'
import { contextWith } from '../../support/platform.ts'

const at = Date.UTC(2026, 0, 1)
const ids = (shard: number, many: number) => Array.from({ length: many }, (_, i) => idOf(shard, at, i))

beforeEach(async () => {
  const { db } = contextWith()
  await Promise.all(db.shards.map((n) => db.shard(n).delete(marks)))
})

/** Bindings, and a list to which each new D1 session of shard 0 adds its start constraint. */
function watched(): { bindings: typeof env; starts: string[] } {
  const starts: string[] = []
  const withSession = (start: string) => {
    starts.push(start)
    return env.SHARD_0.withSession(start)
  }
  return { bindings: { ...env, SHARD_0: { withSession } as unknown as D1Database }, starts }
}

function databases(bookmarks?: string, start?: 'first-primary') {
  const { bindings, starts } = watched()
  const db = openDatabases(bindings, { cost: noCost(), now: Date.now, trace: {}, bookmarks, start, onCommit: () => {} })
  return { db, starts }
}

test('a query or batch that a database does not answer within ten seconds fails with unavailable', async () => {
  const stalled = { all: () => new Promise(() => {}), bind: () => stalled }
  const session = { prepare: () => stalled, batch: () => new Promise(() => {}), getBookmark: () => null }
  const bindings = { ...env, SHARD_0: { withSession: () => session } as unknown as D1Database }
  const { shard } = openDatabases(bindings, { cost: noCost(), now: Date.now, trace: {}, onCommit: () => {} })
  const timers = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((ring: () => void) => void ring()) as never)
  const row = { accountId: ids(0, 1)[0]! }
  for (const ask of [() => shard(0).select().from(marks), () => shard(0).batch([shard(0).insert(marks).values(row)])]) {
    const error = await ask().then(() => null, toFailure)
    expect(error).toMatchObject({ code: 'unavailable', extra: { headers: { 'retry-after': '2' } } })
  }
  expect(timers.mock.calls.map(([, ms]) => ms)).toEqual([10_000, 10_000])
  vi.restoreAllMocks()
})

test('a request with the bookmarks of an earlier write starts its D1 session at them and reads the write', async () => {
  const writer = databases()
  await writer.db
    .shard(0)
    .insert(marks)
    .values({ accountId: ids(0, 1)[0]! })
  await writer.db
    .shard(1)
    .insert(marks)
    .values({ accountId: ids(1, 1)[0]! })
  await writer.db.directory.run('select 1')
  const header = writer.db.bookmarks()!
  expect(header).toMatch(/^0=[0-9a-f-]+;1=[0-9a-f-]+;d=[0-9a-f-]+$/)

  const reader = databases(header)
  expect(await reader.db.shard(0).select().from(marks)).toHaveLength(1)
  expect(reader.starts).toEqual([header.split(';')[0]!.slice(2)])
})

test('bookmarks() keeps the received bookmark of a database that the request did not use', async () => {
  const { db } = databases()
  await db
    .shard(1)
    .insert(marks)
    .values({ accountId: ids(1, 1)[0]! })
  const first = db.bookmarks()!
  const next = databases(first).db
  await next.shard(0).run('select 1')
  expect(next.bookmarks()).toContain(first)
  expect(databases().db.bookmarks()).toBeNull()
})

test('malformed bookmarks are ignored', async () => {
  const strange = [
    '',
    ';',
    '0',
    '0=',
    '0=x',
    '0=first-primary',
    'x=00000000-00000000-00000000',
    "0=' or 1",
    `0=${'0'.repeat(9_000)}`,
  ]
  for (const header of strange) {
    const { db, starts } = databases(header)
    expect(await db.shard(0).select().from(marks)).toEqual([])
    expect(starts).toEqual(['first-unconstrained'])
  }
  const { db, starts } = databases('nonsense', 'first-primary')
  await db.shard(0).run('select 1')
  expect(starts).toEqual(['first-primary'])
})

test('an id determines its shard, and an id of an unknown shard fails with not_found', () => {
  const { db } = contextWith()
  expect(db.shardOf(ids(1, 1)[0]!).name).toBe('1')
  expect(db.shards).toEqual([0, 1])
  expect(() => db.shardOf(ids(63, 1)[0]!)).toThrow(expect.objectContaining({ code: 'not_found' }))
})

test('round trips and rows are counted, and round trips to the directory also separately', async () => {
  const { db, cost } = contextWith()
  await db
    .shard(0)
    .insert(marks)
    .values(ids(0, 3).map((accountId) => ({ accountId })))
  expect(cost).toMatchObject({ trips: 1, rowsWritten: 3 })
  cost.rowsRead = 0
  await db.shard(0).select().from(marks)
  expect(cost).toMatchObject({ trips: 2, rowsRead: 3, directoryTrips: 0 })
  await db.shard(0).batch([
    db
      .shard(0)
      .delete(marks)
      .where(eq(marks.accountId, ids(0, 1)[0]!)),
    db.shard(0).select({ n: count() }).from(marks),
  ])
  expect(cost).toMatchObject({ trips: 3, rowsWritten: 4 })
  await db.directory.run('select 1')
  expect(cost).toMatchObject({ trips: 4, directoryTrips: 1 })
})

test('concurrent selects on one database share a round trip and get their own results', async () => {
  const { db, cost } = contextWith()
  const all = ids(0, 5)
  await db
    .shard(0)
    .insert(marks)
    .values(all.map((accountId) => ({ accountId })))
  cost.trips = 0
  const one = (accountId: Id) => db.shard(0).select().from(marks).where(eq(marks.accountId, accountId))
  const answers = await Promise.all(all.map(one))
  expect(answers).toEqual(all.map((accountId) => [{ accountId }]))
  expect(cost.trips).toBe(1)
})

test('a failing batch changes nothing and names the violated constraint', async () => {
  const { db } = contextWith()
  const [accountId] = ids(0, 1)
  const insert = () => db.shard(0).insert(marks).values({ accountId: accountId! })
  await insert()
  const error = await db
    .shard(0)
    .batch([db.shard(0).delete(marks), insert(), insert()])
    .catch((thrown) => thrown)
  expect(violates(error, marks.accountId)).toBe(true)
  expect(await db.shard(0).select().from(marks)).toHaveLength(1)
})

test('idIn finds the rows of 300 ids, more than D1 allows as bound parameters, and none for no ids', async () => {
  const { db } = contextWith()
  const many = ids(0, 300)
  await db
    .shard(0)
    .insert(marks)
    .values([{ accountId: many[0]! }, { accountId: many[299]! }])
  const found = (wanted: Id[]) => db.shard(0).select().from(marks).where(idIn(marks.accountId, wanted))
  expect(await found(many)).toHaveLength(2)
  expect(await found([many[299]!])).toHaveLength(1)
  expect(await found([])).toHaveLength(0)
})

test('fromShards looks up each distinct id once, on its shard, and ignores ids of unknown shards', async () => {
  const { db } = contextWith()
  const [zero, one] = [ids(0, 3), ids(1, 2)]
  const asked = await fromShards(db, [...zero, ...one, ...zero, ...ids(9, 1)], async ({ name }, mine) =>
    mine.map((id) => `${name}:${id}`),
  )
  expect(asked).toEqual([...zero, ...one].map((id) => `${shardOf(id)}:${id}`))
})

test('mapConcurrently runs six at a time and keeps the order', async () => {
  let running = 0
  let most = 0
  const results = await mapConcurrently(
    Array.from({ length: 20 }, (_, i) => i),
    async (i) => {
      most = Math.max(most, ++running)
      await null
      running -= 1
      return i
    },
  )
  expect(results).toEqual(Array.from({ length: 20 }, (_, i) => i))
  expect(most).toBe(6)
})

test('new accounts go only to open shards', () => {
  const random = vi.spyOn(Math, 'random')
  const chosen = [0, 0.49, 0.5, 0.999].map((value) => {
    random.mockReturnValueOnce(value)
    return openShard({ config: { OPEN_SHARDS: [1, 0] } })
  })
  expect(chosen).toEqual([1, 1, 0, 0])
  expect(openShard({ config: { OPEN_SHARDS: [1] } })).toBe(1)
})

test('building a select with two columns of the same name throws', () => {
  const shard = contextWith().db.shard(0)
  expect(() => shard.select({ a: marks.accountId, b: marks.accountId })).toThrow('named account_id')
  const alias = sql`1`.as('account_id')
  expect(() => shard.select({ a: marks.accountId, b: alias })).toThrow('named account_id')
  expect(() => shard.selectDistinct({ a: marks.accountId, b: alias })).toThrow('named account_id')
  expect(() => shard.select({ a: marks.accountId, b: sql`1`.as('one') })).not.toThrow()
})
