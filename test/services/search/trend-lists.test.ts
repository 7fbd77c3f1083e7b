import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { DAY_MS } from '../../../src/platform/data/expiry.ts'
import { type Id, timeOf, toId } from '../../../src/platform/data/ids.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { trendHidden } from '../../../src/services/search/events.ts'
import { applyCuration, hideTrend, showTrend } from '../../../src/services/search/hidden-trends.ts'
import { countTrends, foldHours, storeTrends } from '../../../src/services/search/trend-lists.ts'
import { trendingTags } from '../../../src/services/search/trending.ts'
import { NEWCOMER_WEIGHT, weightOf, withdrawVotes } from '../../../src/services/search/votes.ts'
import { accountsOn } from '../../support/actors.ts'
import { count, insertRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { accountsOf, emptyTrends, now, read, vote, votesFor } from '../../support/trends.ts'
import { asAnonymous, asModerator, asUser } from '../../support/viewers.ts'

beforeEach(emptyTrends)
afterEach(() => void vi.restoreAllMocks())

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
  await showTrend(asModerator(mod), { kind: 'tag', key: 'rude' })
  expect((await trendingTags(asAnonymous(), {})).items).toHaveLength(1)
  await queues.deliver()
  const audited = (action: string) =>
    count(`select count(*) n from audit_entries where actor_id = ${Number(mod)} and action = '${action}'`, [env.AUDIT])
  expect([await audited('trend-hidden'), await audited('trend-shown')]).toEqual([2, 1])
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

test('things that many newcomers like do not push others out of an hour that ends', async () => {
  const [people, brigade] = [await accountsOf(3, 100), await accountsOf(5, 1)]
  const past = { window: now() - 2 }
  const pushed = Array.from({ length: 8 }, (_, i) =>
    brigade.map((actor) => vote(actor, 'post', `${i + 1}`, { ...past, weight: NEWCOMER_WEIGHT })),
  )
  const organic = people.flatMap((actor) => [vote(actor, 'tag', 'tea', past), vote(actor, 'post', '9', past)])
  await insertRows(env.INDEX, 'trend_votes', [...pushed.flat(), ...organic])
  await foldHours(queues.context(), 2)
  const kept = await env.INDEX.prepare('select kind, key, actors from trend_hours order by others desc').all()
  expect(kept.results).toHaveLength(3)
  expect(kept.results.slice(0, 2)).toEqual(
    expect.arrayContaining([
      { kind: 'tag', key: 'tea', actors: 3 },
      { kind: 'post', key: '9', actors: 3 },
    ]),
  )
  expect((await read()).tags).toEqual([['tea', 3]])
})

test('several may add up the same hour at once, and reads add up none', async () => {
  const voters = await accountsOf(3, 100)
  const rows = voters.map((voter) => vote(voter, 'tag', 'tea', { window: now() - 1 }))
  await insertRows(env.INDEX, 'trend_votes', rows)
  const before = await countTrends(queues.context())
  expect(before.get('all')?.tag).toMatchObject([{ key: 'tea', actors: 3 }])
  expect(await count('select count(*) n from trend_folds', [env.INDEX])).toBe(0)
  await Promise.all([1, 2, 3].map(() => foldHours(queues.context())))
  expect(await countTrends(queues.context())).toEqual(before)
})

test('a like counts again when the comment that replaced it is deleted', async () => {
  const [author, reader] = (await accountsOf(2, 100)) as [Id, Id]
  const post = await publishedId(author, { text: 'a root' })
  await likePost(asUser(reader), { postId: post })
  await queues.deliver()
  await env.INDEX.prepare('update trend_votes set window = window - 3').run()
  const comment = await publishedId(reader, { text: 'a comment', parentId: post })
  await queues.deliver()
  expect(await votesFor(post)).toBe(1)
  await deletePost(asUser(reader), { postId: comment })
  await queues.deliver()
  expect(await votesFor(post)).toBe(1)
})

test('a hashtag counts while one of several posts with it is left', async () => {
  const [author] = (await accountsOf(1, 100)) as [Id]
  await publishedId(author, { text: '#twice' })
  const second = await publishedId(author, { text: 'again #twice' })
  await queues.deliver()
  await deletePost(asUser(author), { postId: second })
  await queues.deliver()
  expect(await votesFor('twice')).toBe(1)
})

test('the last of several acts holds although the index did not know the first, and events of earlier versions are read', async () => {
  const [mod] = await accountsOn(0)
  const ctx = asModerator(mod)
  const index = Object.assign(Object.create(ctx.db.index), {
    insert: () => {
      throw new Error('down')
    },
  })
  const db = { ...ctx.db, shard: ctx.db.shard, shardOf: ctx.db.shardOf, index }
  await hideTrend({ ...ctx, db }, { kind: 'tag', key: 'mind' })
  await showTrend(asModerator(mod), { kind: 'tag', key: 'mind' })
  await queues.deliver({ times: 2 })
  expect(await count("select is_hidden n from hidden_trends where key = 'mind'", [env.INDEX])).toBe(0)
  const earlier = { accountId: mod, kind: 'tag', key: 'old', actorId: mod }
  expect(trendHidden.data.safeParse(earlier).error).toBeUndefined()
})

test('the database tells newcomers from others by the same weight as the service', async () => {
  const [actor] = (await accountsOf(1, 1)) as [Id]
  const weights = { newcomer: weightOf({ env }, actor, Date.now()), other: NEWCOMER_WEIGHT + 0.001 }
  const rows = Object.entries(weights).map(([key, weight]) => vote(actor, 'tag', key, { weight }))
  await insertRows(env.INDEX, 'trend_votes', rows)
  const { results } = await env.INDEX.prepare('select newcomers, others from trend_counts order by key').all()
  expect(results).toEqual([
    { newcomers: weights.newcomer, others: 0 },
    { newcomers: 0, others: weights.other },
  ])
})

test.each([
  [7, 6, NEWCOMER_WEIGHT],
  [7, 15, 0.5],
  [7, 90, 1],
  [30, 29, NEWCOMER_WEIGHT],
  [0, 0, 1 / 30],
])('with TREND_NEWCOMER_DAYS=%s, an account of %s days has the weight %s', async (most, days, weight) => {
  const [actor] = (await accountsOf(1, 0)) as [Id]
  const bindings = { ...env, TREND_NEWCOMER_DAYS: String(most) }
  expect(weightOf({ env: bindings }, actor, timeOf(actor) + days * DAY_MS)).toBe(weight)
})
