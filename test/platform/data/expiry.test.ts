import { and, eq, gte, lt } from 'drizzle-orm'
import { beforeEach, expect, test } from 'vitest'
import { deleteInSteps } from '../../../src/platform/data/expiry.ts'
import { idempotencyKeys } from '../../../src/platform/data/idempotency.ts'
import { idOf } from '../../../src/platform/data/ids.ts'
import { insertRows, shards } from '../../support/databases.ts'
import { contextWith } from '../../support/platform.ts'

const account = idOf(0, Date.UTC(2026, 0, 1), 1)
const { accountId, operation, key, expiresAt } = idempotencyKeys

/** Rows of idempotency keys that expire at 0, 1, 2, … (epoch ms). */
const keysUntil = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    account_id: Number(account),
    operation: 'o',
    key: `k${at}`,
    fingerprint: '',
    result_id: at,
    expires_at: at,
  }))

beforeEach(async () => {
  await contextWith().db.shard(0).delete(idempotencyKeys)
})

test('deleteInSteps deletes 2,250 old rows in three steps of up to a thousand, and no other rows', async () => {
  await insertRows(shards[0], 'idempotency_keys', keysUntil(2_300))
  const { db, cost } = contextWith()
  await deleteInSteps(db.shard(0), idempotencyKeys, [accountId, operation, key], lt(expiresAt, 2_250))
  expect(cost.trips).toBe(3)
  const left = await db.shard(0).select({ at: expiresAt }).from(idempotencyKeys)
  expect(left.map((row) => row.at).sort()).toEqual(Array.from({ length: 50 }, (_, i) => 2_250 + i))
})

test('deleteInSteps without old rows makes one query that reads at most five rows', async () => {
  await insertRows(shards[0], 'idempotency_keys', keysUntil(500))
  const { db, cost } = contextWith()
  await deleteInSteps(db.shard(0), idempotencyKeys, [accountId, operation, key], lt(expiresAt, 0))
  expect(cost).toMatchObject({ trips: 1, rowsWritten: 0 })
  expect(cost.rowsRead).toBeLessThanOrEqual(5)
  const kept = and(eq(accountId, account), gte(expiresAt, 0))
  expect(await db.shard(0).$count(idempotencyKeys, kept)).toBe(500)
})
