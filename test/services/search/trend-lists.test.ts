import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DAY_MS } from '../../../src/platform/data/expiry.ts'
import { type Id, idOf, toId } from '../../../src/platform/data/ids.ts'
import { applyCuration, hideTrend, showTrend } from '../../../src/services/search/hidden-trends.ts'
import { storeTrends } from '../../../src/services/search/trend-lists.ts'
import { forgetKept, trendingLinks, trendingPosts, trendingTags } from '../../../src/services/search/trending.ts'
import { windowOf, withdrawVotes } from '../../../src/services/search/votes.ts'
import { accountsOn } from '../../support/actors.ts'
import { count, insertByShard, insertRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { asAnonymous, asModerator } from '../../support/viewers.ts'

beforeEach(async () => {
  await env.INDEX.prepare('delete from trend_votes').run()
  await env.INDEX.prepare('delete from hidden_trends').run()
  for (const { name } of (await env.CACHE.list({ prefix: 'trending:' })).keys) await env.CACHE.delete(name)
  forgetKept()
})
afterEach(() => void vi.restoreAllMocks())

let last = 0
/** Accounts that were opened some days ago: their ids contain when. */
async function accountsOf(count: number, days: number): Promise<Id[]> {
  const since = Date.now() - days * DAY_MS
  const ids = Array.from({ length: count }, (_, i) => idOf(i % 2, since + (last + i) * 10, i))
  last += count
  const rows = ids.map((id) => ({ id: Number(id), handle: `t${id}`, display_name: 'x', created_at: 1 }))
  await insertByShard('accounts', rows, (row) => row.id)
  return ids
}

const votesFor = (key: string) => count(`select count(*) n from trend_votes where key = '${key}'`, [env.INDEX])
const now = () => windowOf(Date.now())
const vote = (actor: Id, kind: string, key: string, more: object = {}) => ({
  window: now(),
  actor_id: Number(actor),
  kind,
  key,
  lang: 'en',
  weight: 1,
  source_id: 1,
  ...more,
})
const read = async () => {
  forgetKept()
  await storeTrends(queues.context())
  const [posts, tags, links] = await Promise.all([
    trendingPosts(asAnonymous(), {}),
    trendingTags(asAnonymous(), {}),
    trendingLinks(asAnonymous(), {}),
  ])
  return {
    posts: posts.items.map(({ post, actors }) => [post.id, actors]),
    tags: tags.items.map(({ tag, actors }) => [tag, actors]),
    links: links.items.map(({ url, actors }) => [url, actors]),
  }
}

test('the staff takes an entry out and puts it back, and the audit log has both', async () => {
  const [mod] = await accountsOn(0)
  const voters = await accountsOf(3, 100)
  await insertRows(
    env.INDEX,
    'trend_votes',
    voters.map((voter) => vote(voter, 'tag', 'rude')),
  )
  expect((await read()).tags).toEqual([['rude', 3]])
  await hideTrend(asModerator(mod), { kind: 'tag', key: 'rude' })
  await hideTrend(asModerator(mod), { kind: 'tag', key: 'rude' })
  expect((await trendingTags(asAnonymous(), {})).items).toEqual([])
  await queues.deliver()
  expect(
    await count(`select count(*) n from audit_entries where actor_id = ${Number(mod)} and action = 'trend-hidden'`, [
      env.AUDIT,
    ]),
  ).toBe(1)
  await showTrend(asModerator(mod), { kind: 'tag', key: 'rude' })
  expect((await trendingTags(asAnonymous(), {})).items).toHaveLength(1)
})

test('an entry is hidden by any form of its name, whatever fails meanwhile, and the audit log has no address in full', async () => {
  const [mod] = await accountsOn(0)
  const voters = await accountsOf(3, 100)
  const url = 'https://example.org/a?secret=1'
  const rows = voters.flatMap((voter) => [vote(voter, 'tag', 'rude'), vote(voter, 'link', url)])
  await insertRows(env.INDEX, 'trend_votes', rows)
  for (const name of [
    { kind: 'post', key: 'rude' },
    { kind: 'tag', key: 'two words' },
    { kind: 'link', key: 'rude' },
    { kind: 'link', key: `${url} and more` },
  ] as const)
    await expect(hideTrend(asModerator(mod), name)).rejects.toMatchObject({ code: 'invalid' })
  const ctx = asModerator(mod)
  const index = Object.assign(Object.create(ctx.db.index), {
    insert: () => {
      throw new Error('down')
    },
  })
  const db = { ...ctx.db, shard: ctx.db.shard, shardOf: ctx.db.shardOf, index }
  await hideTrend({ ...ctx, db }, { kind: 'tag', key: '#RUDE' })
  await hideTrend(asModerator(mod), { kind: 'link', key: url })
  expect(await read()).toMatchObject({ tags: [['rude', 3]], links: [] })
  await queues.deliver({ times: 2 })
  expect((await read()).tags).toEqual([])
  const { results } = await env.AUDIT.prepare('select detail from audit_entries where actor_id = ?')
    .bind(Number(mod))
    .all()
  const details = JSON.stringify(results)
  expect([details.includes('example.org'), details.includes('secret')]).toEqual([true, false])
})

test('events that hide and show an entry end with the later one, in any order', async () => {
  const trend = { kind: 'tag', key: 'order' } as const
  const state = () =>
    env.INDEX.prepare("select is_hidden from hidden_trends where key = 'order'").first<{ is_hidden: number }>()
  await applyCuration(queues.context(), trend, false, toId(20))
  await applyCuration(queues.context(), trend, true, toId(10))
  expect(await state()).toEqual({ is_hidden: 0 })
  await applyCuration(queues.context(), trend, true, toId(30))
  expect(await state()).toEqual({ is_hidden: 1 })
})

test('hours that have ended are added up once, and change with the votes that come and go', async () => {
  const voters = await accountsOf(8, 100)
  const past = { window: now() - 3 }
  await insertRows(
    env.INDEX,
    'trend_votes',
    voters.slice(0, 4).map((voter) => vote(voter, 'tag', 'tea', past)),
  )
  const sums = () => count("select coalesce(sum(actors), 0) n from trend_hours where key = 'tea'", [env.INDEX])
  expect((await read()).tags).toEqual([['tea', 4]])
  expect(await sums()).toBe(4)
  await insertRows(env.INDEX, 'trend_votes', [
    vote(voters[4]!, 'tag', 'tea', past),
    vote(voters[5]!, 'tag', 'late', past),
  ])
  expect([await sums(), (await read()).tags]).toEqual([5, [['tea', 5]]])
  await insertRows(env.INDEX, 'trend_votes', [vote(voters[0]!, 'tag', 'tea')])
  expect([await sums(), await votesFor('tea'), (await read()).tags]).toEqual([4, 5, [['tea', 5]]])
  await insertRows(env.INDEX, 'trend_votes', [vote(voters[0]!, 'tag', 'tea', past)])
  expect([await sums(), await votesFor('tea')]).toEqual([4, 5])
  for (const voter of voters) await withdrawVotes(queues.context(), { accountId: voter })
  expect([await sums(), (await read()).tags]).toEqual([0, []])
})

test('the job of a minute reads no vote of an hour that has ended', async () => {
  const voters = await accountsOf(400, 100)
  const cost = async () => {
    await storeTrends(queues.context())
    const ctx = queues.context()
    await storeTrends(ctx)
    return ctx.cost.rowsRead
  }
  const rows = voters.map((voter, i) => vote(voter, 'tag', 'tea', { window: now() - 1 - (i % 4) }))
  await insertRows(env.INDEX, 'trend_votes', rows.slice(0, 40))
  const few = await cost()
  await insertRows(env.INDEX, 'trend_votes', rows.slice(40))
  expect(await cost()).toBe(few)
  expect(few).toBeLessThan(100)
  expect((await read()).tags).toEqual([['tea', 400]])
})

test('a language has its list however much is trending in another one', async () => {
  const voters = await accountsOf(7, 100)
  const common = Array.from({ length: 120 }, (_, i) => voters.map((voter) => vote(voter, 'tag', `common${i}`)))
  const rare = voters.slice(0, 3).map((voter) => vote(voter, 'tag', 'rare', { lang: 'km' }))
  const mixed = voters
    .slice(0, 3)
    .map((voter, i) => vote(voter, 'link', 'https://a.example', { lang: ['de', 'fr', 'it'][i] }))
  await insertRows(env.INDEX, 'trend_votes', [...common.flat(), ...rare, ...mixed])
  expect((await read()).links).toEqual([['https://a.example', 3]])
  expect((await trendingTags(asAnonymous(), { lang: 'km' })).items).toMatchObject([{ tag: 'rare', actors: 3 }])
})
