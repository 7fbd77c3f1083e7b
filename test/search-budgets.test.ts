import { expect, test } from 'vitest'
import type { UserCtx } from '../src/platform/context.ts'
import { toId } from '../src/platform/data/ids.ts'
import { indexAccount, indexPosts } from '../src/services/search/indexing.ts'
import { searchAccounts } from '../src/services/search/people.ts'
import { PostSearchQuery, searchPosts } from '../src/services/search/posts.ts'
import { searchTags } from '../src/services/search/tags.ts'
import { accountsOn, bulkIds } from './support/actors.ts'
import { costOf, expectWithin, PAGE } from './support/budgets.ts'
import { seedPosts } from './support/seed.ts'

// Checks the budgets in docs/architecture.md.

const CANDIDATES = 500
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
  expectWithin('newest', await costOf(ada, search('newest')), { trips: 3, rowsRead: 3 * LOADED + read })
  expectWithin('best', await costOf(ada, search('best')), { trips: 3, rowsRead: CANDIDATES + read })
})

test('people and hashtags are found in one trip to the index, and people in one more to each shard', async () => {
  const accounts = await bulkIds(60)
  const [ada] = await accountsOn(0)
  for (const accountId of accounts) await costOf(ada, (ctx) => indexAccount(ctx, { accountId }))
  const people = await costOf(ada, (ctx) => searchAccounts(ctx, { q: 'u', limit: PAGE }))
  expectWithin('people', people, { trips: 3, rowsRead: CANDIDATES + 8 * LOADED })
  expectWithin('tags', await costOf(ada, (ctx) => searchTags(ctx, { q: 'u', limit: PAGE })), {
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
