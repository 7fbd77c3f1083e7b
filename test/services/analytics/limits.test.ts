import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { countActivities, IDS_PER_SLOT } from '../../../src/services/analytics/count.ts'
import { getOverview } from '../../../src/services/analytics/network.ts'
import {
  act,
  agree,
  auditAnalytics,
  deliver,
  emptyAnalytics,
  foldAll,
  holdActivity,
  numberOf,
  seen,
  shuffled,
  stored,
} from '../../support/activity.ts'
import { accountsOn, bulkIds } from '../../support/actors.ts'
import { contextWith } from '../../support/platform.ts'
import { publishedId } from '../../support/posting.ts'
import { seedPosts } from '../../support/seed.ts'
import { asUser } from '../../support/viewers.ts'

let people: Id[]
let author: Id
let posts: Id[]

beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  await emptyAnalytics()
  people = await bulkIds(12)
  author = (await accountsOn(0, 1))[0]!
  posts = [await publishedId(author), await publishedId(author)]
  await agree(people)
})
afterEach(() => void vi.restoreAllMocks())

test('a slot that grows too large is folded at once, and counts stay right', async () => {
  const at = Date.now()
  await deliver([act('post', people[0]!, { at })])
  const big = JSON.stringify({
    'post.reach|d2026-01-01|1': Array.from({ length: 40_000 }, (_, i) => `${i}`.padStart(11, 'a')),
  })
  await env.ANALYTICS.prepare('update slots set members = ?').bind(big).run()
  await deliver([act('post', people[1]!, { at })])
  const open = await env.ANALYTICS.prepare('select count(*) n from slots where open').first('n')
  expect(open).toBe(0)
  expect(await numberOf('site.post', 'd', '')).toBe(2)
})

test('a batch that names thousands of posts stays within the limits of D1, and is counted', async () => {
  const [reader] = people as [Id]
  const seeded = await seedPosts(Array.from({ length: 2_000 }, (_, i) => people[1 + (i % 11)]!))
  const reports = Array.from({ length: 40 }, (_, i) => seen(reader, seeded.slice(i * 50, (i + 1) * 50)))
  expect(await deliver(reports)).toEqual([])
  const longest = await env.ANALYTICS.prepare(
    'select max(length(members) + length(counts)) n from slots',
  ).first<number>('n')
  expect(longest).toBeLessThan(400_000)
  expect(await auditAnalytics()).toEqual([])
  expect(await numberOf('post.reach', 'd', seeded.at(-1)!)).toBe(1)
  const { sketches } = await stored()
  expect(sketches.filter(({ metric, bucket }) => metric === 'post.reach' && bucket.startsWith('d'))).toHaveLength(2_000)
})

test('3,000 acts a second, with repetitions, stay within the limits of a row and count once', async () => {
  const minute = Math.floor(Date.now() / 60_000)
  const idsOf = (part: number) =>
    JSON.stringify(Array.from({ length: IDS_PER_SLOT }, (_, i) => `${part}`.padEnd(4, 'p') + `${i}`.padStart(7, '0')))
  expect(idsOf(0).length).toBeLessThan(500_000)
  expect(6 * IDS_PER_SLOT).toBeGreaterThanOrEqual(60 * 3_000)
  for (let part = 0; part < 6; part++) {
    await env.ANALYTICS.prepare("insert into slots values (?, 1, 0, ?, '{}', '{}', '{}')")
      .bind(minute * 100 + part, idsOf(part))
      .run()
  }
  const acts = Array.from({ length: 100 }, (_, i) => act('post', people[i % 12]!, { at: minute * 60_000 }))
  const copies = [acts, acts, shuffled(acts)].flat()
  for (let at = 0; at < copies.length; at += 60) expect(await deliver(copies.slice(at, at + 60))).toEqual([])
  const { results } = await env.ANALYTICS.prepare(
    'select slot % 100 part, json_array_length(ids) n from slots where slot >= ? order by 1',
  )
    .bind(minute * 100)
    .all<{ part: number; n: number }>()
  expect(results.map(({ n }) => n)).toEqual([...Array.from({ length: 6 }, () => IDS_PER_SLOT), 100])
  const [{ minutes }] = await Promise.all([getOverview(asUser(people[0]!), {}), foldAll()])
  expect(minutes.at(-1)!.posts + minutes.at(-2)!.posts).toBe(100)
  expect(await numberOf('site.post', 'd', '')).toBe(100)
})

test('a batch makes a bounded number of queries, however many shards there are; other readers wait for the next one', async () => {
  const held = holdActivity()
  const ctx = contextWith()
  const shards = Array.from({ length: 64 }, (_, i) => i)
  const db = Object.assign(Object.create(ctx.db), { shards })
  const reports = people.map((id) => seen(id, [posts[0]!]))
  await countActivities({ ...ctx, db }, [act('post', people[0]!), ...reports])
  expect(held).toEqual(reports.slice(6))
  expect(await deliver(held)).toEqual([])
  expect(await auditAnalytics()).toEqual([])
  expect(await numberOf('post.reach', 'd', posts[0]!)).toBe(people.length)
})
