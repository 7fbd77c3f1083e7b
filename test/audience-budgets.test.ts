import { expect, test } from 'vitest'
import type { Ctx } from '../src/platform/context.ts'
import { type Id, shardOf } from '../src/platform/data/ids.ts'
import { getAccounts } from '../src/services/accounts/accounts.ts'
import { accountFeed, listPosts } from '../src/services/feed/feeds.ts'
import { listMyComments } from '../src/services/posts/comments.ts'
import { getPost } from '../src/services/posts/posts.ts'
import { accountsOn, bulkIds, handleOf } from './support/actors.ts'
import { type Budget, costOf, expectWithin } from './support/budgets.ts'
import { insertRows, shardHolding } from './support/databases.ts'
import { publishedId } from './support/posting.ts'
import { seedFollows, seedPosts } from './support/seed.ts'
import { asAnonymous, asUser, idsOf } from './support/viewers.ts'

// Checks the budgets in docs/architecture.md that depend on who may read what.

const PAGE = 20
const MOST = 50

test('a page of the viewer’s comments reads the viewer’s shard, then the roots of all shards in parallel', async () => {
  const [viewer, ...others] = await bulkIds(1 + PAGE)
  const roots = await seedPosts(others)
  const comments = await seedPosts(others.map(() => viewer!))
  for (const [i, id] of comments.entries()) await placeUnder(roots[i]!, id)
  const lane = comments.map((id) => ({ author_id: Number(viewer), lane: 1, post_id: Number(id) }))
  await insertRows(shardHolding(viewer!), 'feed_index', lane)
  const cost = await costOf(viewer!, async (ctx) => {
    expect(idsOf(await listMyComments(ctx, { limit: PAGE }))).toEqual(comments.toReversed())
  })
  expectWithin('own comments', cost, { trips: 3, rowsRead: 7 * PAGE + 2 })
})

async function placeUnder(root: Id, comment: Id): Promise<void> {
  const under = shardHolding(comment).prepare('update posts set root_id = ?1, parent_id = ?1 where id = ?2')
  await under.bind(Number(root), Number(comment)).run()
}

test('fifty named posts or accounts take one trip per shard, and comments one more wave for their roots', async () => {
  const [reader, ...authors] = await bulkIds(1 + MOST)
  await seedFollows(authors.map((author) => [reader!, author]))
  const [posts, roots, comments] = [await seedPosts(authors), await seedPosts(authors), await seedPosts(authors)]
  for (const [i, id] of comments.entries()) await placeUnder(roots[i]!, id)
  const cases: [string, Id[], Budget][] = [
    ['one shard', posts.filter((id) => shardOf(id) === 0), { trips: 1, rowsRead: 5 * MOST }],
    ['two shards', posts, { trips: 2, rowsRead: 5 * MOST }],
    ['comments', comments, { trips: 4, rowsRead: 10 * MOST }],
  ]
  for (const [name, ids, budget] of cases) {
    const cost = await costOf(reader!, async (ctx) => expect(idsOf(await listPosts(ctx, { ids }))).toEqual(ids))
    expectWithin(name, cost, budget)
  }
  const cost = await costOf(reader!, (ctx) => getAccounts(ctx, { ids: authors }))
  expectWithin('accounts', cost, { trips: 2, rowsRead: 5 * MOST })
})

test('checking a mention reads at most one row more than checking a follow', async () => {
  const [author, mentioned, follower] = await accountsOn(0, 1, 1)
  await seedFollows([[follower, author]])
  const postId = await publishedId(author, { visibility: 'followers', text: `@${handleOf(mentioned)}` })
  const read = (id: Id) => costOf(id, (ctx) => getPost(ctx, { postId }))
  const [byFollow, byMention] = [await read(follower), await read(mentioned)]
  expectWithin('read by a mention', byMention, { trips: 1, rowsRead: 8 })
  expect(byMention.rowsRead).toBeLessThanOrEqual(byFollow.rowsRead + 1)
})

test('a page of an account costs the same for a stranger, whatever the number of followers-only posts', async () => {
  const [author, stranger, follower] = await accountsOn(0, 1, 1)
  await seedFollows([[follower, author]])
  const open = await seedPosts(Array.from({ length: PAGE + 1 }, () => author))
  const newestOpen = open.toReversed().slice(0, PAGE)
  const readers: [string, () => Ctx][] = [
    ['anonymous', asAnonymous],
    ['stranger', () => asUser(stranger)],
    ['follower', () => asUser(follower)],
    ['author', () => asUser(author)],
  ]
  const measured = async () => {
    const costs: Record<string, number> = {}
    for (const [name, context] of readers) {
      const ctx = context()
      const { items } = await accountFeed(ctx, { accountId: author, limit: PAGE })
      expect([name, items.length]).toEqual([name, PAGE])
      expectWithin(name, ctx.cost, { trips: 1, rowsRead: 6 * PAGE + 10 })
      costs[name] = ctx.cost.rowsRead
      if (name !== 'follower' && name !== 'author') expect(idsOf({ items })).toEqual(newestOpen)
    }
    return { anonymous: costs.anonymous, stranger: costs.stranger }
  }
  const before = await measured()
  await seedPosts(
    Array.from({ length: 500 }, () => author),
    { visibility: 'followers' },
  )
  expect(await measured()).toEqual(before)
})
