import { env } from 'cloudflare:workers'
import { count, sql } from 'drizzle-orm'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openDatabases } from '../../../src/platform/data/databases.ts'
import { type Id, idOf } from '../../../src/platform/data/ids.ts'
import { noCost } from '../../../src/platform/observability/cost.ts'
import { marks } from '../../support/marks.ts'
import { contextWith } from '../../support/platform.ts'

const ids = (shard: number, many: number) =>
  Array.from({ length: many }, (_, i) => idOf(shard, Date.UTC(2026, 0, 1), i))

afterEach(() => void vi.restoreAllMocks())
beforeEach(async () => void (await contextWith().db.shard(0).delete(marks)))

test('selects share the round trip of a batch that begins meanwhile, and see what it writes; two batches stay apart', async () => {
  const { cost, db } = contextWith()
  const accountId = ids(0, 1)[0]!
  const shard = db.shard(0)
  const others = shard.select({ n: count() }).from(marks)
  const insert = shard.insert(marks).values({ accountId })
  const [before, [, inBatch], after] = await Promise.all([
    shard.select({ n: count() }).from(marks),
    shard.batch([insert, others]),
    shard.select({ accountId: marks.accountId }).from(marks),
  ])
  expect([before, inBatch, after, cost.trips]).toEqual([[{ n: 1 }], [{ n: 1 }], [{ accountId }], 1])
  await Promise.all([shard.batch([insert.onConflictDoNothing()]), shard.batch([shard.delete(marks)])])
  expect(cost.trips).toBe(3)
})

test('neither a batch nor the selects that share its round trip fail because the others are refused', async () => {
  const { cost, db } = contextWith()
  const shard = db.shard(0)
  const [first, second] = ids(0, 2) as [Id, Id]
  const insert = (accountId = first) => shard.insert(marks).values({ accountId })
  const read = () => shard.select({ n: count() }).from(marks)
  const [refused, answered] = await Promise.allSettled([shard.batch([insert(), insert()]), read()])
  expect([refused.status, answered, cost.trips]).toEqual(['rejected', { status: 'fulfilled', value: [{ n: 0 }] }, 2])
  await insert()
  const wrong = shard.select({ x: sql`json_extract('{}', 'wrong')`.as('x') }).from(marks)
  const outcomes = await Promise.allSettled([shard.batch([insert(second)]), wrong.then(), read()])
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  expect(await read()).toEqual([{ n: 2 }])
})

test('what shares a round trip with a batch that gets no answer is sent once, and fails with it', async () => {
  const stalled = { all: () => new Promise(() => {}), bind: () => stalled }
  const session = { prepare: () => stalled, batch: () => new Promise(() => {}), getBookmark: () => null }
  const bindings = { ...env, SHARD_0: { withSession: () => session } as unknown as D1Database }
  const cost = noCost()
  const { shard } = openDatabases(bindings, { cost, now: Date.now, trace: {}, onCommit: () => {} })
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((ring: () => void) => void ring()) as never)
  const row = { accountId: ids(0, 1)[0]! }
  const both = await Promise.allSettled([
    shard(0).batch([shard(0).insert(marks).values(row)]),
    shard(0).select().from(marks),
  ])
  expect([both.map(({ status }) => status), cost.trips]).toEqual([['rejected', 'rejected'], 1])
})
