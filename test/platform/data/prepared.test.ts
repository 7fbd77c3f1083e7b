import { eq, sql } from 'drizzle-orm'
import { expect, test, vi } from 'vitest'
import { query } from '../../../src/platform/data/conditions.ts'
import { type Id, idOf } from '../../../src/platform/data/ids.ts'
import { prepared } from '../../../src/platform/data/prepared.ts'
import { idList, idTable } from '../../../src/platform/data/shards.ts'
import { marks } from '../../support/marks.ts'
import { contextWith } from '../../support/platform.ts'

const idsOn = (shard: number) => [0, 1, 2].map((i) => idOf(shard, Date.UTC(2026, 0, 1), i))
let built = 0

const online = prepared(({ isOne }: { isOne: boolean }) => {
  built += 1
  const ids = sql.placeholder('ids')
  if (isOne) return query.select({ accountId: marks.accountId }).from(marks).where(eq(marks.accountId, ids))
  const found = idTable(ids)
  return query.select({ accountId: marks.accountId }).from(found).innerJoin(marks, eq(marks.accountId, found.id))
})

test('a prepared select is built once per variant, for all requests and databases', async () => {
  const [first, second, other] = [idsOn(0)[0]!, idsOn(0)[1]!, idsOn(1)[2]!]
  const { db } = contextWith()
  for (const id of [first, second, other]) await db.shardOf(id).insert(marks).values({ accountId: id })

  const select = async (shard: number, ids: Id[]) => {
    const isOne = ids.length === 1
    const rows = await online(contextWith().db.shard(shard), { isOne }, { ids: isOne ? Number(ids[0]) : idList(ids) })
    return rows.map((row) => row.accountId)
  }
  expect(await select(0, [first])).toEqual([first])
  expect(await select(0, [second])).toEqual([second])
  expect(await select(1, [first])).toEqual([])
  expect((await select(0, [first, second])).sort()).toEqual([first, second].sort())
  expect(await select(1, [first, other])).toEqual([other])
  expect(built).toBe(2)
})

test('concurrent prepared selects are counted and share one round trip', async () => {
  const { db, cost } = contextWith()
  const one = { isOne: true }
  await Promise.all(idsOn(0).map((id) => online(db.shard(0), one, { ids: Number(id) })))
  expect(cost.trips).toBe(1)
})

test('a prepared select with a missing placeholder value throws and does not reuse an earlier value', async () => {
  const values = {} as { ids: number }
  await expect(online(contextWith().db.shard(0), { isOne: true }, values)).rejects.toThrow('No value for placeholder')
})

test('a prepared select with two columns of the same name throws', async () => {
  const repeated = prepared(() => query.select({ a: marks.accountId, b: marks.accountId }).from(marks))
  await expect(repeated(contextWith().db.shard(0), {}, {})).rejects.toThrow('named account_id')
})

test('a limit is part of the text of a prepared select, so that SQLite does not plan it anew each time it runs', async () => {
  const limited = prepared(() => {
    const { accountId } = marks
    const from = query
      .select({ accountId })
      .from(marks)
      .where(eq(accountId, sql.placeholder('id')))
    return from.limit(sql.placeholder('limit'))
  })
  const [id] = idsOn(0)
  const { db } = contextWith()
  await db.shardOf(id!).delete(marks)
  await db.shardOf(id!).insert(marks).values({ accountId: id! })
  const shard = db.shard(0)
  const prepare = vi.spyOn(shard.$client, 'prepare')
  for (const limit of [1, 0]) expect(await limited(shard, {}, { id: Number(id), limit })).toHaveLength(limit)
  expect(prepare.mock.calls.map(([text]) => text.slice(text.indexOf(' limit ')))).toEqual([' limit 1', ' limit 0'])
})
