import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Database } from '../../../src/platform/data/databases.ts'
import { type Id, idOf } from '../../../src/platform/data/ids.ts'
import { loadPage, PageQuery, pageOf, type Seek, seek } from '../../../src/platform/data/page.ts'
import { seal } from '../../../src/platform/security/crypto.ts'
import { marks } from '../../support/marks.ts'
import { contextWith } from '../../support/platform.ts'
import { reveals } from '../../support/reveals.ts'

type Order = 'newest' | 'oldest'
const ctx = contextWith()
const shard = ctx.db.shard(0)
const find = (cursor: string, list = 'marks', by = ctx) => seek(by, { limit: 5, cursor }, list, marks.accountId)

const select = (database: Database, from: Seek) =>
  database
    .select({ id: marks.accountId })
    .from(marks)
    .where(from.where)
    .orderBy(from.order(marks.accountId))
    .limit(from.limit)

async function page(order: Order, limit: number, cursor?: string | null, hidden: (id: Id) => boolean = () => false) {
  const query = PageQuery.parse({ limit: String(limit), cursor: cursor ?? undefined })
  const from = await seek(ctx, query, 'marks', marks.accountId, order)
  const rows = await select(shard, from)
  return loadPage(ctx, from, rows, async (kept) => {
    const shown = kept.filter(({ id }) => !hidden(id))
    return new Map(shown.map(({ id }) => [id, Number(id)]))
  })
}

async function fill(ids: readonly number[]): Promise<void> {
  const values = ids.map((id) => ({ accountId: String(id) as Id }))
  await shard.batch([
    shard.delete(marks),
    ...values.map((value) => shard.insert(marks).values(value).onConflictDoNothing()),
  ])
}

const Ids = fc.uniqueArray(fc.integer({ min: 10, max: 99 }), { maxLength: 14 })
const Change = fc.record({ add: fc.uniqueArray(fc.integer({ min: 1, max: 110 }), { maxLength: 3 }), remove: Ids })
const Walk = fc.record({
  order: fc.constantFrom<Order>('newest', 'oldest'),
  limit: fc.integer({ min: 1, max: 5 }),
  ids: Ids,
  changes: fc.array(Change, { minLength: 1, maxLength: 4 }),
})
const sorted = (ids: Iterable<number>, order: Order) => [...ids].sort((a, b) => (order === 'newest' ? b - a : a - b))

test('paging forward, back and forward over a changing list visits each stable item once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(Walk, async ({ order, limit, ids, changes }) => {
      await fill(ids)
      const stable = new Set(ids)
      let moves = 0
      const change = async () => {
        const { add, remove } = changes[moves++ % changes.length]!
        const now = (await shard.select().from(marks)).map((row) => Number(row.accountId))
        for (const id of remove) stable.delete(id)
        await fill([...new Set([...now, ...add])].filter((id) => !remove.includes(id)))
      }

      const forward: number[] = []
      let current = await page(order, limit)
      forward.push(...current.items)
      for (let guard = 0; current.nextCursor && guard < 200; guard++) {
        if (moves < 8) await change()
        current = await page(order, limit, current.nextCursor)
        forward.push(...current.items)
      }
      expect(forward).toEqual(sorted(new Set(forward), order))
      expect(forward.filter((id) => stable.has(id))).toEqual(sorted(stable, order))

      const back = [...current.items]
      for (let guard = 0; current.previousCursor && guard < 200; guard++) {
        if (moves < 16) await change()
        const before = await page(order, limit, current.previousCursor)
        if (before.items.length === 0) break
        back.unshift(...before.items)
        current = before
      }
      expect(back).toEqual(sorted(new Set(back), order))
      expect(back.filter((id) => stable.has(id))).toEqual(sorted(stable, order))

      const forwardAgain = [...current.items]
      for (let guard = 0; current.nextCursor && guard < 200; guard++) {
        current = await page(order, limit, current.nextCursor)
        forwardAgain.push(...current.items)
      }
      expect(forwardAgain.filter((id) => stable.has(id))).toEqual(sorted(stable, order))
    }),
    { numRuns: 30 },
  )
})

test('hidden items cause no gap, no repeat and no early end', async () => {
  await fill([1, 2, 3, 4, 5, 6, 7, 8, 9])
  const seen: number[] = []
  let cursor: string | null | undefined
  do {
    const found = await page('newest', 2, cursor, (id) => Number(id) > 3 && Number(id) < 8)
    seen.push(...found.items)
    cursor = found.nextCursor
  } while (cursor)
  expect(seen).toEqual([9, 8, 3, 2, 1])
})

test('the last page has no next cursor, and the previous cursor of the first page finds newer items', async () => {
  await fill([1, 2, 3, 4])
  const first = await page('newest', 2)
  const last = await page('newest', 2, first.nextCursor)
  expect([first.items, last.items, last.nextCursor]).toEqual([[4, 3], [2, 1], null])
  expect((await page('newest', 2, first.previousCursor)).items).toEqual([])
  await fill([1, 2, 3, 4, 5, 6, 7])
  const ahead = await page('newest', 2, first.previousCursor)
  expect(ahead.items).toEqual([6, 5])
  expect((await page('newest', 2, ahead.previousCursor)).items).toEqual([7])
})

test('an empty page has a cursor back to the page before it', async () => {
  for (const [order, ids] of [
    ['newest', [14, 13, 12, 11]],
    ['oldest', [11, 12, 13, 14]],
  ] as const) {
    await fill(ids)
    const first = await page(order, 2)
    await fill(ids.slice(0, 2))
    const empty = await page(order, 2, first.nextCursor)
    expect([empty.items, empty.nextCursor]).toEqual([[], null])
    expect((await page(order, 2, empty.previousCursor)).items).toEqual(ids.slice(0, 2))
    const ahead = await page(order, 2, first.previousCursor)
    expect(ahead.items).toEqual([])
    expect((await page(order, 2, ahead.nextCursor)).items).toEqual(ids.slice(0, 2))
  }
})

test('an empty list has no cursors', async () => {
  await fill([])
  expect(await page('newest', 5)).toEqual({ items: [], nextCursor: null, previousCursor: null })
})

test('a cursor does not reveal the id of its row, which may be hidden from the viewer', async () => {
  const ids = [1, 2, 3].map((i) => idOf(0, Date.UTC(2026, 0, i), i))
  await fill(ids.map(Number))
  const hidden = await page('newest', 1, null, () => true)
  const [next, again] = [hidden.nextCursor!, (await page('newest', 1)).nextCursor!]
  expect(hidden.items).toEqual([])
  expect((await page('newest', 1, next)).items).toEqual([Number(ids[1])])
  for (const cursor of [next, again, hidden.previousCursor!, (await page('newest', 1, next)).nextCursor!]) {
    expect(cursor).toMatch(/^[\w.-]+$/)
    expect(cursor).toHaveLength(next.length)
    expect(ids.filter((id) => reveals(cursor, id))).toEqual([])
  }
  expect(again).not.toBe(next)
})

test('cursors of short and long ids have the same length', async () => {
  await fill([7, Number.MAX_SAFE_INTEGER])
  const long = await page('newest', 1)
  const short = await page('newest', 1, long.nextCursor)
  expect([long.items, short.items]).toEqual([[Number.MAX_SAFE_INTEGER], [7]])
  expect(short.previousCursor).toHaveLength(long.previousCursor!.length)
})

test('the test helper `reveals` recognizes ids in plain, encoded and reversed text', () => {
  const id = idOf(1, Date.UTC(2026, 0, 1), 5)
  const bytes = new Uint8Array(new BigInt64Array([BigInt(id)]).buffer)
  const plain = [id, `k1.${btoa(`after:${id}:7`)}`, `x.y${btoa(JSON.stringify([id]))}`, Number(id).toString(36)]
  const packed = [bytes.toHex(), bytes.toBase64(), bytes.reverse().toBase64({ alphabet: 'base64url' })]
  for (const text of [...plain, ...packed, btoa(btoa(id))]) expect(reveals(text, id), text).toBe(true)
  expect(reveals(btoa(`after:${Number(id) + 1}`), id)).toBe(false)
})

const refusal = expect.objectContaining({
  code: 'invalid',
  extra: { errors: [{ field: 'cursor', message: expect.any(String) }] },
})

test('a forged or altered cursor is refused as an invalid field', async () => {
  await fill([123_456, 234_567])
  const nextCursor = (await page('newest', 1)).nextCursor!
  const invented = ['after:5', 'after:', 'after:x:0', "after:1' or 1:6", '5'.padStart(16).repeat(2)].map(btoa)
  const strange = ['', '0', 'x', '5', '.', 'n', 'n.', 'n.k1', 'n.k1.', 'p.k1.A', 'n.k1.AAAA', '%00', '=', 'é']
  const altered = [...nextCursor].flatMap((letter, at) => [
    nextCursor.slice(0, at),
    nextCursor.slice(at + 1),
    nextCursor.slice(0, at) + (letter === 'A' ? 'B' : 'A') + nextCursor.slice(at + 1),
  ])
  const prefixed = invented.map((text) => `n.k1.${text}`)
  const [, ...parts] = nextCursor.split('.')
  const mixed = [parts.join('.'), `N.${parts.join('.')}`, `n.k2.${parts[1]}`]
  for (const cursor of [
    ...invented,
    ...prefixed,
    ...strange,
    ...mixed,
    ...altered,
    `${nextCursor}=`,
    `x${nextCursor}`,
  ]) {
    await expect(find(cursor), cursor).rejects.toEqual(refusal)
  }
  expect(PageQuery.safeParse({ cursor: 'x'.repeat(101) }).success).toBe(false)
})

test('a cursor is valid only for its own list, and only while the key that sealed it is in DATA_KEYS', async () => {
  await fill([1, 2])
  const cursor = (await page('newest', 1)).nextCursor!
  const [ownKey, otherKey] = [ctx.config.DATA_KEYS, `k1:${btoa('z'.repeat(32))}`]
  const rotated = contextWith({ DATA_KEYS: `${otherKey.replace('k1', 'k2')},${ownKey}` })
  for (const by of [ctx, rotated]) expect((await find(cursor, 'marks', by)).values.cursor).toBe(2)
  await expect(find(cursor, 'absence')).rejects.toEqual(refusal)
  await expect(find(cursor, 'marks', contextWith({ DATA_KEYS: otherKey }))).rejects.toEqual(refusal)
  const email = await seal(ctx.config, '2'.padStart(16).repeat(2), 'email:marks')
  await expect(find(`n.${email}`)).rejects.toEqual(refusal)
})

test('a page has 20 items by default and 1 to 50 on request', () => {
  expect(PageQuery.parse({})).toEqual({ limit: 20 })
  expect(PageQuery.parse({ limit: '50' }).limit).toBe(50)
  for (const limit of ['0', '51', '-1', '1.5', 'x', '', '1e9', ['1', '2']]) {
    expect(PageQuery.safeParse({ limit }).success, String(limit)).toBe(false)
  }
  expect(PageQuery.safeParse({ offset: '5' }).success).toBe(false)
  expect(pageOf('Number', PageQuery).safeParse({ items: [], nextCursor: null, previousCursor: 'x' }).success).toBe(true)
})

test('a deep page reads no more rows than the first', async () => {
  await fill(Array.from({ length: 90 }, (_, i) => i + 1))
  const reads = async (cursor?: string | null) => {
    const ctx = contextWith()
    const query = PageQuery.parse({ limit: '5', cursor: cursor ?? undefined })
    const from = await seek(ctx, query, 'marks', marks.accountId)
    const { nextCursor } = await loadPage(ctx, from, await select(ctx.db.shard(0), from), async () => new Map())
    return { nextCursor, rowsRead: ctx.cost.rowsRead }
  }
  let { nextCursor, rowsRead } = await reads()
  const first = rowsRead
  for (let i = 0; i < 9; i++) ({ nextCursor, rowsRead } = await reads(nextCursor))
  expect(rowsRead).toBeLessThanOrEqual(first)
})
