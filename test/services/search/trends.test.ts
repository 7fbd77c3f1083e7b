import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { mapConcurrently } from '../../../src/platform/data/shards.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { editPost } from '../../../src/services/posts/edits.ts'
import { likePost, unlikePost } from '../../../src/services/posts/likes.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { storeTrends } from '../../../src/services/search/trend-lists.ts'
import { forgetKept, trendingPosts, trendingTags } from '../../../src/services/search/trending.ts'
import { forgetOldVotes, voteLiked } from '../../../src/services/search/votes.ts'
import { accountsOn } from '../../support/actors.ts'
import { costOf, expectWithin } from '../../support/budgets.ts'
import { insertRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { seedLikes, seedPosts } from '../../support/seed.ts'
import { accountsOf, emptyTrends, now, read, vote, votesFor } from '../../support/trends.ts'
import { asAnonymous, asModerator, asUser } from '../../support/viewers.ts'

beforeEach(emptyTrends)
afterEach(() => void vi.restoreAllMocks())

test('posts, hashtags and links that three accounts like, use or link are listed with how many and since when', async () => {
  const [ada, bob, cyd, dan] = (await accountsOf(4, 100)) as [Id, Id, Id, Id]
  const post = await publishedId(ada, { text: 'the best of all posts' })
  for (const who of [ada, bob, cyd]) await likePost(asUser(who), { postId: post })
  await publishedId(bob, { text: 'a comment', parentId: post })
  for (const who of [bob, cyd, dan, dan])
    await publishedId(who, { text: '#Tea https://example.org/tea and the rest of it' })
  for (const who of [bob, cyd]) await publishedId(who, { text: '#coffee' })
  await publishedId(dan, { text: '#coffee', visibility: 'followers' })
  await queues.deliver({ times: 2 })
  expect(await read()).toEqual({ posts: [], tags: [['tea', 3]], links: [['https://example.org/tea', 3]] })
  await likePost(asUser(dan), { postId: post })
  await queues.deliver()
  expect((await read()).posts).toEqual([[post, 3]])
  expect((await trendingPosts(asAnonymous(), { lang: 'en' })).items[0]).toMatchObject({ actors: 3, hours: 1 })
  expect((await trendingPosts(asAnonymous(), { lang: 'de' })).items).toEqual([])
  await unlikePost(asUser(dan), { postId: post })
  await queues.deliver()
  expect((await read()).posts).toEqual([])
})

test('deleted posts, and those of suspended and blocked accounts, leave the list at once', async () => {
  const [ada, bob, cyd] = (await accountsOf(3, 100)) as [Id, Id, Id]
  const [one, two, three] = (await seedPosts([ada, bob, cyd])) as [Id, Id, Id]
  const voters = await accountsOf(3, 100)
  const rows = [one, two, three].flatMap((post) => voters.map((voter) => vote(voter, 'post', post)))
  await insertRows(env.INDEX, 'trend_votes', rows)
  expect(new Set((await read()).posts.map(([id]) => id))).toEqual(new Set([one, two, three]))
  const shown = async (viewer?: Id) =>
    (await trendingPosts(viewer ? asUser(viewer) : asAnonymous(), {})).items.map(({ post }) => post.id).toSorted()
  await deletePost(asUser(ada), { postId: one })
  await blockAccount(asUser(cyd), { accountId: bob })
  await queues.deliver()
  expect([await shown(), await shown(bob), await shown(cyd)]).toEqual([[two, three].toSorted(), [two], [three]])
  await suspendAccount(asModerator(ada), { accountId: cyd })
  expect(await shown()).toEqual([two])
})

test('what is deleted or edited out gives no weight, and a comment none after its deletion', async () => {
  const people = await accountsOf(4, 100)
  const [author, ...others] = people as [Id, Id, Id, Id]
  const root = await publishedId(author, { text: 'a root' })
  const posts: [Id, Id, Id][] = []
  for (const who of others) {
    const tagged = await publishedId(who, { text: '#spam https://spam.example.org/' })
    const edited = await publishedId(who, { text: '#before' })
    posts.push([tagged, edited, await publishedId(who, { text: 'a comment', parentId: root })])
  }
  await queues.deliver()
  expect(await read()).toMatchObject({ posts: [[root, 3]], links: [['https://spam.example.org/', 3]] })
  for (const [i, [tagged, edited, comment]] of posts.entries()) {
    await deletePost(asUser(others[i]!), { postId: tagged })
    await deletePost(asUser(others[i]!), { postId: comment })
    await editPost(asUser(others[i]!), { postId: edited, text: '#after' })
  }
  await queues.deliver()
  expect(await read()).toEqual({ posts: [], tags: [['after', 3]], links: [] })
})

test('a language or system without trends is read from KV too, and never counted by a request', async () => {
  const [ada] = await accountsOn(0)
  expectWithin('before the first job', await costOf(ada, (ctx) => trendingTags(ctx, { lang: 'km' })), { cacheReads: 1 })
  await storeTrends(queues.context())
  forgetKept()
  expectWithin('after it', await costOf(ada, (ctx) => trendingTags(ctx, { lang: 'km' })), { cacheReads: 1 })
  expect(await env.CACHE.get('trending:km')).toBe('{"post":[],"tag":[],"link":[]}')
})

test('an account counts once for each thing, less after six hours, and not at all after a day', async () => {
  const voters = await accountsOf(6, 100)
  const some = voters.slice(0, 4)
  const rows = [
    ...voters.map((voter) => vote(voter, 'tag', 'old', { window: now() - 7 })),
    ...some.map((voter) => vote(voter, 'tag', 'new')),
    ...some
      .slice(0, 3)
      .flatMap((voter) => [0, 1, 2, 3].map((age) => vote(voter, 'tag', 'again', { window: now() - age }))),
    ...voters.map((voter) => vote(voter, 'tag', 'gone', { window: now() - 25 })),
  ]
  await insertRows(env.INDEX, 'trend_votes', rows)
  expect((await read()).tags).toEqual([
    ['new', 4],
    ['again', 3],
    ['old', 6],
  ])
  await forgetOldVotes(queues.context())
  expect(await votesFor('gone')).toBe(0)
  expect(await votesFor('old')).toBe(6)
})

test('500 day-old accounts do not bring a post into the list, alone or beside what thirty people like', async () => {
  const brigade = await accountsOf(500, 1)
  const people = await accountsOf(30, 60)
  const [author] = await accountsOn(0)
  const [pushed, ...liked] = (await seedPosts(Array.from({ length: 11 }, () => author))) as [Id, ...Id[]]
  const like = async (actors: Id[], postId: Id) => {
    await seedLikes(actors.map((actor) => [actor, postId]))
    await mapConcurrently(actors, (actorId) => voteLiked(queues.context(), { postId, actorId }, postId))
  }
  await like(brigade, pushed)
  expect(await votesFor(pushed)).toBe(500)
  expect((await read()).posts).toEqual([])
  for (const postId of liked) await like(people, postId)
  await like(people.slice(0, 3), pushed)
  const { posts } = await read()
  expect(new Set(posts.map(([id]) => id))).toEqual(new Set(liked))
})

test('a read makes no trip to the index; without KV it uses the last list, and then the index', async () => {
  const [ada] = await accountsOn(0)
  const voters = await accountsOf(3, 100)
  await insertRows(
    env.INDEX,
    'trend_votes',
    voters.map((voter) => vote(voter, 'tag', 'tea')),
  )
  await storeTrends(queues.context())
  const tags = (ctx = asUser(ada)) => trendingTags(ctx, {})
  expectWithin('from KV', await costOf(ada, tags), { cacheReads: 1 })
  expectWithin('from the isolate', await costOf(ada, tags), {})
  const broken = () => {
    const ctx = asUser(ada)
    const get = () => Promise.reject(new Error('KV is down'))
    return { ...ctx, env: { ...env, CACHE: { get } } as unknown as Env, now: () => Date.now() + 60_000 }
  }
  await env.INDEX.prepare('delete from trend_votes').run()
  expect((await tags(broken())).items).toHaveLength(1)
  forgetKept()
  expect((await tags(broken())).items).toEqual([])
})
