import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { seek } from '../../../src/platform/data/page.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { homeFeed, publicFeed, selectHome } from '../../../src/services/feed/feeds.ts'
import { feedIndex } from '../../../src/services/feed/tables.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { accountsOn, bulkIds } from '../../support/actors.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { seedFollows, seedPosts } from '../../support/seed.ts'
import { asUser, idsOf, wholePage } from '../../support/viewers.ts'

// Ada and Cyd are on one shard, Bob is on the other.
let ada: Id
let bob: Id
let cyd: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob, cyd] = await accountsOn(0, 1, 0)
})

const homeOf = async (reader: Id) => idsOf(await homeFeed(asUser(reader), wholePage))

test('a home feed has the posts of the reader and of the accounts followed now, newest first', async () => {
  for (const accountId of [ada, cyd]) await followAccount(asUser(bob), { accountId })
  await queues.deliver()
  const first = await publishedId(ada)
  const second = await publishedId(cyd, { visibility: 'followers' })
  const own = await publishedId(bob)
  const last = await publishedId(ada)
  await queues.deliver()
  // Ids created within the same 10 ms are in random order.
  const newestFirst = (...ids: Id[]) => ids.sort((a, b) => Number(b) - Number(a))
  expect(await homeOf(bob)).toEqual(newestFirst(first, second, own, last))
  expect(await homeOf(ada)).toEqual(newestFirst(last, first))

  await unfollowAccount(asUser(bob), { accountId: cyd })
  expect(await homeOf(bob)).not.toContain(second)
  await deletePost(asUser(ada), { postId: last })
  expect(await homeOf(bob)).not.toContain(last)
  await blockAccount(asUser(ada), { accountId: bob })
  expect(await homeOf(bob)).toEqual([own])
})

test('paging continues past posts that the reader cannot see', async () => {
  const [eve] = await accountsOn(1)
  const posts = await seedPosts([ada, eve, eve, eve, eve, ada, eve, ada])
  await blockAccount(asUser(eve), { accountId: bob })
  const read: Id[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await publicFeed(asUser(bob), { limit: 2, cursor })
    read.push(...idsOf(page))
    cursor = read.includes(posts[0]!) ? null : page.nextCursor
  }
  expect(read.filter((id) => posts.includes(id))).toEqual([posts[7], posts[5], posts[0]])
})

async function planOfHome(reader: Id, cursor?: string): Promise<string[]> {
  const ctx = queues.context()
  const from = await seek(ctx, { limit: 20, ...(cursor && { cursor }) }, `home feed of ${reader}`, feedIndex.postId)
  const { sql, params } = selectHome(reader, from).toSQL()
  const { results } = await env.SHARD_0.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...params)
    .all<{ detail: string }>()
  return results.map(({ detail }) => detail)
}

test('a home feed uses index seeks on every page, whatever the table statistics are', async () => {
  const seeks = [
    'CO-ROUTINE skeleton',
    'SEARCH follows USING PRIMARY KEY (follower_id=?)',
    expect.stringMatching(/^SEARCH feed_index USING PRIMARY KEY \(author_id=\? AND lane=\?/),
    'USE TEMP B-TREE FOR ORDER BY',
    'SCAN skeleton',
    'SEARCH posts USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN',
    'SEARCH accounts USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN',
    ...['blocks', 'followers', 'likes'].flatMap((table) => [
      expect.stringMatching(/^CORRELATED SCALAR SUBQUERY/),
      expect.stringMatching(`^SEARCH ${table} USING PRIMARY KEY \\(\\w+=\\? AND \\w+=\\?\\)$`),
    ]),
  ]
  await seedPosts([ada, ada])
  const { nextCursor } = await homeFeed(asUser(ada), { limit: 1 })
  const check = async () => {
    expect(await planOfHome(ada)).toEqual(seeks)
    expect(await planOfHome(ada, nextCursor!)).toEqual(seeks)
  }
  await check()
  // Without CROSS JOIN, many posts of one author or many followed accounts without posts would lead to a scan of posts.
  await seedPosts(Array.from({ length: 3_000 }, () => cyd))
  await env.SHARD_0.prepare('ANALYZE').run()
  await check()
  const quiet = await bulkIds(2_000, () => 1)
  await seedFollows(quiet.map((id) => [ada, id]))
  await env.SHARD_0.prepare('ANALYZE').run()
  await check()
})
