import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import type { Activity } from '../../../src/services/analytics/activities.ts'
import {
  act,
  agree,
  auditAnalytics,
  deliver,
  emptyAnalytics,
  foldAll,
  holdActivity,
  logTexts,
  numberOf,
  seen,
  shuffled,
  stored,
} from '../../support/activity.ts'
import { accountsOn, bulkIds } from '../../support/actors.ts'
import { publishedId } from '../../support/posting.ts'

const HOUR = 3_600_000
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

const busyDay = (): Activity[] =>
  people.flatMap((id, i) => [
    act('like', id, { post: posts[i % 2]!, author, at: Date.now() - (i % 4) * HOUR }),
    act('post', id),
    act('login', id),
    seen(id, posts),
    seen(id, posts, { surface: 'profile' }),
  ])

test('acts of more minutes than one batch may write wait for the next ones, as after an outage of the events', async () => {
  const held = holdActivity()
  const all = Array.from({ length: 250 }, (_, i) => act('like', people[0]!, { at: Date.now() - i * 60_000 }))
  const messages: unknown[] = Array.from({ length: 50 }, (_, i) => all.slice(i * 5, i * 5 + 5))
  const batches: number[] = []
  for (let next = messages; next.length > 0; next = held.splice(0)) {
    batches.push(next.flat().length)
    expect(await deliver(next)).toEqual([])
  }
  expect(batches).toEqual([250, 150, 50])
  await foldAll()
  const { rollups } = await stored()
  const days = rollups.filter(({ metric, bucket, key }) => metric === 'site.like' && bucket[0] === 'd' && key === '')
  expect(days.reduce((sum, { n }) => sum + n, 0)).toBe(all.length)
})

test('roll-ups equal a recount of the log after shuffled, tenfold and interrupted delivery', async () => {
  const day = busyDay()
  const copies = shuffled(Array.from({ length: 10 }, () => day).flat())
  for (let at = 0; at < copies.length; at += 60) {
    const batch = copies.slice(at, at + 60)
    if (at % 120 === 0) {
      const broken = { ...env, ANALYTICS: { withSession: () => failing } } as unknown as Env
      const retried = await deliver(batch, broken)
      if (at === 0) expect(retried).toEqual(batch)
    }
    expect(await deliver(batch)).toEqual([])
    if (at % 180 === 0) await foldAll()
  }
  expect(await auditAnalytics()).toEqual([])
  expect(await numberOf('site.login', 'd', '')).toBe(people.length)
  expect(await numberOf('post.reach', 'd', posts[0]!)).toBe(people.length)
  expect(await numberOf('author.views', 'd', author)).toBe(2 * people.length)
  await deliver(day)
  expect(await auditAnalytics()).toEqual([])
  expect(await numberOf('people', 'm', '')).toBe(people.length)
}, 60_000)

/** Reads, and then fails when it writes. */
const failing = {
  prepare: (query: string) => {
    if (!query.startsWith('select')) throw new Error('the database is down')
    return env.ANALYTICS.prepare(query)
  },
  batch: (statements: D1PreparedStatement[]) => env.ANALYTICS.batch(statements),
  getBookmark: () => null,
}

test('while ANALYTICS is down nothing is lost, nor logged again with each retry, and the counts catch up', async () => {
  const down = {
    prepare: () => {
      throw new Error('down')
    },
  }
  const bindings = { ...env, ANALYTICS: { withSession: () => down } } as unknown as Env
  const day = busyDay()
  for (const part of [day, day.slice(5), shuffled(day).slice(0, 20)])
    expect(await deliver(part, bindings)).toEqual(part)
  expect(await logTexts()).toEqual([])
  expect(await deliver(day)).toEqual([])
  const lines = (await logTexts()).flatMap((text) => text.trim().split('\n'))
  expect(lines.length).toBeGreaterThan(day.length / 2)
  // Around midnight, two days have a line each about the same person and week.
  const logged = lines.flatMap((line) => JSON.parse(line).id ?? [])
  expect(new Set(logged).size).toBe(logged.length)
  expect(await auditAnalytics()).toEqual([])
  expect(await numberOf('site.post', 'd', '')).toBe(people.length)
})

test('two batches at once for the same minute are both counted', async () => {
  const at = Date.now()
  const batches = Array.from({ length: 5 }, () => people.map((id) => act('post', id, { at })))
  const retried = await Promise.all(batches.map((batch) => deliver(batch)))
  expect(retried.flat()).toEqual([])
  await foldAll()
  expect(await numberOf('site.post', 'd', '')).toBe(5 * people.length)
})

test('who declines leaves no person anywhere, and is counted without one; who has not decided is not counted as a reader', async () => {
  const [declined, undecided, agreed] = people as [Id, Id, Id]
  await agree([declined], false)
  for (const shard of [env.SHARD_0, env.SHARD_1]) {
    await shard.prepare('delete from activity_choices where account_id = ?').bind(Number(undecided)).run()
  }
  for (const id of [declined, undecided, agreed])
    await deliver([act('like', id, { post: posts[0]!, author }), seen(id, posts)])
  expect(await auditAnalytics()).toEqual([])
  expect(await numberOf('site.like', 'd', '')).toBe(3)
  expect(await numberOf('post.reach', 'd', posts[0]!)).toBe(1)
  expect(await numberOf('people', 'd', '')).toBe(2)
  const log = (await logTexts()).join('')
  const everything = log + JSON.stringify(await env.ANALYTICS.prepare('select ids, members from slots').all())
  for (const id of [...people, author]) expect(everything).not.toContain(id)
  const cells = new Map<string, string>()
  for (const line of log.split('\n').filter((each) => each.includes('"member"'))) {
    const { cell, member } = JSON.parse(line) as { cell: string; member: string }
    expect(cells.get(member) ?? cell).toBe(cell) // a person has another name in each set, so nothing joins them
    cells.set(member, cell)
  }
  expect(cells.size).toBeGreaterThan(8)
  const acts = log.split('\n').filter((each) => each.includes('"kind"'))
  expect(Object.keys(JSON.parse(acts[0]!))).toEqual(['id', 'kind', 'hour', 'cells'])
})

test('views count only of posts that exist, that the viewer may see and did not write, however often they are reported', async () => {
  const [reader, stranger] = people as [Id, Id]
  const secret = await publishedId(author, { visibility: 'followers' })
  const future = String(Number(posts[0]) + 2 ** 40) as Id
  await agree([author])
  await deliver([
    ...Array.from({ length: 200 }, () => seen(reader, [posts[0]!, secret, future])),
    seen(author, posts),
    seen(stranger, [secret]),
  ])
  expect(await auditAnalytics()).toEqual([])
  expect(await numberOf('views', 'd', '')).toBe(1)
  for (const id of [secret, future, posts[1]!]) expect(await numberOf('post.reach', 'd', id)).toBe(0)
})

test('whoever likes and unlikes again and again counts once a day, and the own posts of an author do not count', async () => {
  const [liker] = people as [Id]
  const again = () => [act('like', liker, { post: posts[0]!, author }), act('unlike', liker, { post: posts[0]! })]
  for (let i = 0; i < 5; i++) await deliver(again())
  await deliver([act('like', author, { post: posts[0]!, author }), act('comment', author, { post: posts[0]!, author })])
  expect(await auditAnalytics()).toEqual([])
  expect(await numberOf('post.like', 'd', posts[0]!)).toBe(2)
  expect(await numberOf('author.like', 'd', author)).toBe(1)
  expect(await numberOf('author.comment', 'd', author)).toBe(0)
  expect(await numberOf('site.like', 'd', '')).toBe(6)
})

test('what somebody read never becomes a dead letter', async () => {
  const down = {
    withSession: () => ({
      prepare: () => {
        throw new Error('down')
      },
    }),
  }
  const bindings = { ...env, ANALYTICS: down } as unknown as Env
  const [view, like] = [seen(people[0]!, posts), act('like', people[0]!, { post: posts[0]!, author })]
  expect(await deliver([view, like], bindings, 99)).toEqual([view, like])
  expect(await deliver([view, like], bindings, 100)).toEqual([like])
})

test('malformed messages are retried alone', async () => {
  const good = act('post', people[0]!)
  const bad = [{ kind: 'like' }, 'text', null, { viewer: 'x', postIds: [], surface: 'home', at: 1 }]
  expect(await deliver([bad[0], good, ...bad.slice(1)])).toEqual(bad)
  await foldAll()
  expect(await numberOf('site.post', 'd', '')).toBe(1)
})

test('an activity of more than a week ago is dropped; one of four days ago counts without a person', async () => {
  const at = (days: number) => Date.now() - days * 24 * HOUR
  await deliver([act('post', people[0]!, { at: at(8) }), act('like', people[1]!, { at: at(4), post: posts[0]! })])
  await foldAll()
  const { rollups, sketches } = await stored()
  expect(rollups.filter(({ bucket }) => bucket.startsWith('d')).map(({ metric, n }) => [metric, n])).toEqual([
    ['post.like', 1],
    ['site.like', 1],
  ])
  expect(sketches.filter(({ bucket, metric }) => bucket.startsWith('d') && metric === 'people')).toEqual([])
  expect(await logTexts()).toHaveLength(1)
})
