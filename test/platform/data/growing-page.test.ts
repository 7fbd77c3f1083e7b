import { expect, test } from 'vitest'
import { type Id, idOf } from '../../../src/platform/data/ids.ts'
import { loadGrowingPage, type Seek, seek } from '../../../src/platform/data/page.ts'
import { marks } from '../../support/marks.ts'
import { contextWith } from '../../support/platform.ts'

const ctx = contextWith()
const shard = ctx.db.shard(0)

async function fill(ids: readonly Id[]): Promise<void> {
  const values = ids.map((accountId) => ({ accountId }))
  await shard.delete(marks)
  await shard.insert(marks).values(values)
}

const select = (from: Seek) =>
  shard
    .select({ id: marks.accountId })
    .from(marks)
    .where(from.where)
    .orderBy(from.order(marks.accountId))
    .limit(from.limit)

test('an item that is listed up to ten seconds late, before newer ones, is found by the end cursor', async () => {
  let now = Date.UTC(2026, 0, 1)
  const later = { ...ctx, now: () => now }
  const poll = async (cursor?: string) => {
    const from = await seek(later, { limit: 5, cursor }, 'marks', marks.accountId, 'oldest')
    return loadGrowingPage(later, from, await select(from), async (kept) => new Map(kept.map(({ id }) => [id, id])))
  }
  const id = (seconds: number) => idOf(0, now + seconds * 1_000, 1)
  const [settled, late, newest] = [id(-20), id(-9), id(0)]
  await fill([settled, newest])
  const first = await poll()
  expect(first).toMatchObject({ items: [settled, newest], nextCursor: null })
  await fill([settled, late, newest])
  const second = await poll(first.endCursor!)
  expect(second.items).toEqual([late, newest])
  now += 11_000
  const third = await poll(second.endCursor!)
  expect(third.items).toEqual([late, newest])
  expect((await poll(third.endCursor!)).items).toEqual([])
})
