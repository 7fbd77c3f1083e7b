import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { idempotencyKeys } from '../../../src/platform/data/idempotency.ts'
import { firstIdAt, Id, idOf, newId, shardOf, timeOf, toId } from '../../../src/platform/data/ids.ts'
import { withFreshId } from '../../../src/platform/data/shards.ts'
import { marks } from '../../support/marks.ts'
import { contextWith } from '../../support/platform.ts'

const start = Date.UTC(2025, 0, 1) + 1_000
const end = Date.UTC(2112, 0, 1)
const time = fc.integer({ min: start, max: end })
const shard = fc.integer({ min: 0, max: 63 })
const random = fc.integer({ min: 0, max: 65_535 })

test('an id fits into 53 bits until the year 2112 and encodes its shard and time', () => {
  fc.assert(
    fc.property(time, shard, random, (at, home, bits) => {
      const id = idOf(home, at, bits)
      expect(Number.isSafeInteger(Number(id))).toBe(true)
      expect(toId(Number(id))).toBe(id)
      expect(Id.safeParse(id).success).toBe(true)
      expect(shardOf(id)).toBe(home)
      expect(timeOf(id)).toBe(Math.floor(at / 10) * 10)
    }),
  )
})

test('ids sort by time, whatever their shards and random bits are', () => {
  fc.assert(
    fc.property(
      time,
      shard,
      shard,
      random,
      random,
      fc.integer({ min: 10, max: 1e9 }),
      (at, one, other, a, b, later) => {
        const [older, newer] = [idOf(one, at, a), idOf(other, at + later, b)]
        expect(Number(newer)).toBeGreaterThan(Number(older))
        expect(Number(firstIdAt(at + 10))).toBeGreaterThan(Number(older))
        expect(Number(firstIdAt(at))).toBeLessThanOrEqual(Number(older))
      },
    ),
  )
})

test('new ids of an isolate and shard ascend, also within one tick and after its last id', () => {
  const at = Date.UTC(2031, 0, 1)
  const ids = Array.from({ length: 1_200 }, (_, i) => Number(newId(5, at + Math.floor(i / 30))))
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b))
  expect(ids.map((id) => shardOf(toId(id)))).toEqual(ids.map(() => 5))
  expect(timeOf(newId(5, at - 60_000))).toBe(at - 60_000)
})

test('only decimal integers of 53 bits are ids', () => {
  const wrong = [
    '',
    '0',
    '01',
    '-1',
    '1.5',
    '1e3',
    '0x1',
    ' 1',
    '1\n',
    '9007199254740992',
    '99999999999999999',
    '１',
    'x',
  ]
  for (const text of wrong) expect(Id.safeParse(text).success, text).toBe(false)
  expect(Id.safeParse('9007199254740991').success).toBe(true)
})

test('the largest id is stored and read without rounding', async () => {
  const { db } = contextWith()
  const largest = toId(Number.MAX_SAFE_INTEGER)
  await db.shard(0).insert(marks).values({ accountId: largest })
  expect(await db.shard(0).select().from(marks)).toEqual([{ accountId: largest }])
})

test('a write is retried with a new id after an id conflict, and not after any other error', async () => {
  const { db, now } = contextWith()
  const tried: Id[] = []
  const taken = newId(1, now())
  await db.shard(1).insert(marks).values({ accountId: taken })
  const write = async (id: Id) => {
    tried.push(id)
    const accountId = tried.length < 3 ? taken : id
    await db.shard(1).batch([db.shard(1).insert(marks).values({ accountId })])
    return id
  }
  const made = await withFreshId({ now }, 1, marks.accountId, write)
  expect([tried.length, made, shardOf(made)]).toEqual([3, tried[2], 1])

  tried.length = 0
  const key = { accountId: taken, operation: 'o', key: 'k', fingerprint: 'f', resultId: taken, expiresAt: 0 }
  const insert = () => db.shard(1).insert(idempotencyKeys).values(key)
  await insert()
  const other = (id: Id) => {
    tried.push(id)
    return db.shard(1).batch([insert()])
  }
  await expect(withFreshId({ now }, 1, marks.accountId, other)).rejects.toThrow()
  expect(tried).toHaveLength(1)
})

test('a write fails after five id conflicts in a row', async () => {
  const { db, now } = contextWith()
  let attempts = 0
  const taken = newId(0, now())
  await db.shard(0).insert(marks).values({ accountId: taken })
  const write = () => {
    attempts += 1
    return db.shard(0).batch([db.shard(0).insert(marks).values({ accountId: taken })])
  }
  await expect(withFreshId({ now }, 0, marks.accountId, write)).rejects.toThrow()
  expect(attempts).toBe(5)
})

test('fifty concurrent writes within the same 10 ms get fifty different ids', async () => {
  const { db } = contextWith()
  const at = Date.UTC(2030, 0, 1)
  const write = (id: Id) => db.shard(0).batch([db.shard(0).insert(marks).values({ accountId: id })])
  await Promise.all(Array.from({ length: 50 }, () => withFreshId({ now: () => at }, 0, marks.accountId, write)))
  const made = await db.shard(0).select().from(marks)
  expect(made.filter(({ accountId }) => [at, at + 10].includes(timeOf(accountId)))).toHaveLength(50)
})
