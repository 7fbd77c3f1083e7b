import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { UserCtx } from '../src/platform/context.ts'
import { toId } from '../src/platform/data/ids.ts'
import { homeFeed } from '../src/services/feed/feeds.ts'
import { indexAccount, indexPosts } from '../src/services/search/indexing.ts'
import { searchAccounts } from '../src/services/search/people.ts'
import { PostSearchQuery, searchPosts } from '../src/services/search/posts.ts'
import { followTag } from '../src/services/search/tag-follows.ts'
import { searchTags } from '../src/services/search/tags.ts'
import { accountsOn, bulkIds } from './support/actors.ts'
import { costOf, expectWithin, PAGE } from './support/budgets.ts'
import { insertRows, shardHolding } from './support/databases.ts'
import { seedFollows, seedPosts } from './support/seed.ts'

// Checks the budgets in docs/architecture.md.

const SCANNED = 150
const LOADED = 50

test('a page of found posts costs one trip to the index and one to each shard, however many match', async () => {
  const authors = await bulkIds(20)
  const ids = await seedPosts(Array.from({ length: 600 }, (_, i) => authors[i % 20]!))
  const [ada] = await accountsOn(0)
  await costOf(ada, (ctx) => indexPosts(ctx, ids))
  const q = 'post of the tests'
  const search = (order: 'newest' | 'best') => async (ctx: UserCtx) => {
    const { items } = await searchPosts(ctx, { ...PostSearchQuery.parse({ q, order }), limit: PAGE })
    expect(items).toHaveLength(PAGE)
  }
  const read = 6 * LOADED
  expectWithin('newest', await costOf(ada, search('newest')), { trips: 3, rowsRead: SCANNED + read })
  expectWithin('best', await costOf(ada, search('best')), { trips: 3, rowsRead: SCANNED + 3 * read })
})

test('a page that has to look at many comments or posts without likes costs at most three rounds, each with the roots', async () => {
  const authors = await bulkIds(20)
  const ids = await seedPosts(Array.from({ length: 320 }, (_, i) => authors[i % 20]!))
  const roots = ids.slice(0, 160)
  for (const [i, id] of ids.slice(160).entries()) {
    await shardHolding(id).prepare('update posts set root_id = ? where id = ?').bind(Number(roots[i]), Number(id)).run()
  }
  const [ada] = await accountsOn(0)
  await costOf(ada, (ctx) => indexPosts(ctx, ids))
  const query = { ...PostSearchQuery.parse({ q: 'post of the tests is:reply min_likes:9' }), limit: PAGE }
  const budget = { trips: 1 + 3 * 2 * 2, rowsRead: SCANNED + 12 * SCANNED }
  expectWithin('comments without likes', await costOf(ada, (ctx) => searchPosts(ctx, query)), budget)
})

test('people and hashtags are found in one trip to the index, and people in one more to each shard', async () => {
  const accounts = await bulkIds(60)
  const [ada] = await accountsOn(0)
  for (const accountId of accounts) await costOf(ada, (ctx) => indexAccount(ctx, { accountId }))
  const people = await costOf(ada, (ctx) => searchAccounts(ctx, { q: 'user', limit: PAGE }))
  expectWithin('people', people, { trips: 3, rowsRead: 10 * SCANNED })
  expectWithin('tags', await costOf(ada, (ctx) => searchTags(ctx, { q: 'user', limit: PAGE })), {
    trips: 1,
    rowsRead: 1_000,
  })
})

test('indexing posts costs one write and two reads a batch, and one row a post', async () => {
  const [author, ada] = await accountsOn(0, 1)
  const ids = await seedPosts([author, author, author])
  expectWithin('index', await costOf(ada, (ctx) => indexPosts(ctx, ids)), { trips: 3, rowsRead: 45, rowsWritten: 3 })
  expectWithin('index nothing', await costOf(ada, (ctx) => indexPosts(ctx, [toId(7)])), { trips: 3, rowsRead: 4 })
})

test('followed hashtags add one trip to the index and one to each shard to a page of the home feed, and nothing without any', async () => {
  const authors = await bulkIds(20)
  const ids = await seedPosts(Array.from({ length: 120 }, (_, i) => authors[i % 20]!))
  const [ada] = await accountsOn(0)
  await seedFollows(authors.slice(0, 10).map((author) => [ada, author]))
  const rows = ids.map((id) => ({ rowid: Number(id), text: '', tags: 'tide', handle: '', facts: '' }))
  await insertRows(env.INDEX, 'post_search', rows)
  const page = { limit: PAGE }
  const without = await costOf(ada, (ctx) => homeFeed(ctx, page))
  await costOf(ada, (ctx) => followTag(ctx, { tag: 'tide' }))
  const tagged = await costOf(ada, (ctx) => homeFeed(ctx, page))
  expectWithin('followed', tagged, {
    trips: without.trips + 1 + 2,
    rowsRead: without.rowsRead + SCANNED + 6 * LOADED,
  })
})
