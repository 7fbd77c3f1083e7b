import { eq, sql } from 'drizzle-orm'
import { beforeEach, expect, test } from 'vitest'
import { changed, failUnless, refusals, rowIf, valueIf, violates } from '../../../src/platform/data/conditions.ts'
import { idempotencyKeys } from '../../../src/platform/data/idempotency.ts'
import { idOf } from '../../../src/platform/data/ids.ts'
import { Failure } from '../../../src/platform/failures.ts'
import { marks } from '../../support/marks.ts'
import { contextWith } from '../../support/platform.ts'

const [one, two] = [idOf(0, Date.UTC(2026, 0, 1), 1), idOf(0, Date.UTC(2026, 0, 1), 2)]
const shard = contextWith().db.shard(0)
const rows = () => shard.$count(marks)
beforeEach(async () => {
  await shard.batch([shard.delete(marks), shard.delete(idempotencyKeys)])
})

test('failUnless fails its batch with its code if the condition is false or null, and otherwise passes', async () => {
  const batch = (condition: ReturnType<typeof sql>) =>
    shard
      .batch([shard.insert(marks).values({ accountId: one }), failUnless(shard, condition, 'too_late')])
      .catch(refusals({ too_late: () => new Failure('conflict') }))
  for (const condition of [sql`1 = 2`, sql`null`]) {
    await expect(batch(condition)).rejects.toMatchObject({ code: 'conflict' })
  }
  expect(await rows()).toBe(0)
  await batch(sql`1 = 1`)
  expect(await rows()).toBe(1)
})

test('valueIf is its value if the condition is true, and otherwise fails the batch with its code', async () => {
  const batch = (condition: ReturnType<typeof sql>) =>
    shard
      .batch([
        shard.insert(marks).values({ accountId: one }),
        shard.insert(marks).values({ accountId: valueIf(condition, two, 'too_late') }),
      ])
      .catch(refusals({ too_late: () => new Failure('conflict') }))
  for (const condition of [sql`1 = 2`, sql`null`]) {
    await expect(batch(condition)).rejects.toMatchObject({ code: 'conflict' })
  }
  expect(await rows()).toBe(0)
  await batch(changed)
  expect(await shard.select().from(marks)).toEqual([{ accountId: one }, { accountId: two }])
})

test('failUnless between two writes does not reset `changed`, which still refers to the first write', async () => {
  const insert = shard.insert(marks).values({ accountId: one }).onConflictDoNothing()
  const batch = () =>
    shard.batch([
      insert,
      failUnless(shard, sql`1`, 'never'),
      shard.insert(marks).select(rowIf(marks, { accountId: two }, changed)),
    ])
  await batch()
  expect(await rows()).toBe(2)
  await shard.delete(marks).where(eq(marks.accountId, two))
  await batch()
  expect(await rows()).toBe(1)
})

test('`refusals` rethrows errors that did not come from failUnless, or whose code is unknown', async () => {
  const other = new Error('no such table')
  expect(() => refusals({ too_late: () => new Failure('conflict') })(other)).toThrow(other)
  const unknown = await shard.batch([failUnless(shard, sql`0`, 'other_code')]).catch((error: unknown) => error)
  expect(() => refusals({ too_late: () => new Failure('conflict') })(unknown)).toThrow('other_code')
})

test('`violates` is true for columns of the violated constraint and false for other columns and errors', async () => {
  const key = { accountId: one, operation: 'o', key: 'k', fingerprint: 'f', resultId: one, expiresAt: 0 }
  const claim = () => shard.batch([shard.insert(idempotencyKeys).values(key)])
  await claim()
  const error = await claim().catch((thrown: unknown) => thrown)
  const { accountId, operation, resultId } = idempotencyKeys
  expect([accountId, operation, idempotencyKeys.key].map((column) => violates(error, column))).toEqual([
    true,
    true,
    true,
  ])
  expect([violates(error, resultId), violates(error, marks.accountId)]).toEqual([false, false])
  for (const none of [new Error('idempotency_keys.key'), 'UNIQUE constraint failed: idempotency_keys.key', null]) {
    expect(violates(none, idempotencyKeys.key)).toBe(false)
  }
})

test('rowIf inserts a row with every value in its column if the condition holds, and otherwise no row', async () => {
  const key = { accountId: one, operation: 'o', key: 'k', fingerprint: 'f', resultId: two, expiresAt: 5 }
  await shard.insert(idempotencyKeys).select(rowIf(idempotencyKeys, key, sql`0`))
  expect(await shard.$count(idempotencyKeys)).toBe(0)
  await shard.insert(idempotencyKeys).select(rowIf(idempotencyKeys, { ...key, expiresAt: sql`2 + 4` }, sql`1`))
  expect(await shard.select().from(idempotencyKeys)).toEqual([{ ...key, expiresAt: 6 }])
})
