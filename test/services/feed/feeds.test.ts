import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { Ctx } from '../../../src/platform/context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { seek } from '../../../src/platform/data/page.ts'
import { open } from '../../../src/platform/security/crypto.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { accountFeed, homeFeed, publicFeed, selectAccountFeed, selectHome } from '../../../src/services/feed/feeds.ts'
import { feedIndex } from '../../../src/services/feed/tables.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { accountsOn, bulkIds } from '../../support/actors.ts'
import { queues } from '../../support/manual-queues.ts'
import { newestFirst, publishedId } from '../../support/posting.ts'
import { seedFollows, seedPosts } from '../../support/seed.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asAnonymous, asUser, idsOf, wholePage } from '../../support/viewers.ts'

const homeOf = async (reader: Id) => idsOf(await homeFeed(asUser(reader), wholePage))

test('a home feed has the posts of the reader and of the accounts followed now, newest first', async () => {
  for (const accountId of [ada, cyd]) await followAccount(asUser(bob), { accountId })
  await queues.deliver()
  const first = await publishedId(ada)
  const second = await publishedId(cyd, { visibility: 'followers' })
  const own = await publishedId(bob)
  const last = await publishedId(ada)
  await queues.deliver()
  // Sorts by id, because ids that are created within the same 10 ms are in random order.
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

/** The ids that a cursor contains: those of the first and the last row of its page. */
async function idsIn(cursor: string | null, accountId: Id): Promise<string[]> {
  const ends = await open(queues.context().config, cursor!.slice(2), `cursor:posts of ${accountId}`)
  return ends.trim().split(/ +/)
}

test('nothing on the page of an account changes for strangers when it publishes followers-only posts', async () => {
  await followAccount(asUser(cyd), { accountId: ada })
  await queues.deliver()
  const closed = (count: number) =>
    seedPosts(
      Array.from({ length: count }, () => ada),
      { visibility: 'followers' },
    )
  const viewers = [asAnonymous(), asUser(bob)]
  const pageFor = (ctx: Ctx, limit: number) => accountFeed(ctx, { accountId: ada, limit })
  for (const ctx of viewers) {
    expect(await pageFor(ctx, 2)).toEqual({ items: [], nextCursor: null, previousCursor: null })
  }
  const first = await closed(3)
  for (const ctx of viewers) {
    expect(await pageFor(ctx, 2)).toEqual({ items: [], nextCursor: null, previousCursor: null })
  }
  const [older] = (await seedPosts([ada])) as [Id]
  await closed(2)
  const [newer] = (await seedPosts([ada])) as [Id]
  await closed(2)
  for (const ctx of viewers) {
    const page = await pageFor(ctx, 2)
    expect([idsOf(page), page.nextCursor]).toEqual([[newer, older], null])
    expect(await idsIn(page.previousCursor, ada)).toEqual([newer, older])
    const single = await pageFor(ctx, 1)
    expect(await idsIn(single.nextCursor, ada)).toEqual([newer, newer])
  }
  for (const reader of [ada, cyd]) {
    const { items } = await pageFor(asUser(reader), 50)
    expect([items.length, items.at(-1)!.id]).toEqual([9, first[0]])
  }
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
    ...['blocks', 'followers', 'json_each', 'likes'].flatMap((table) => [
      expect.stringMatching(/^CORRELATED SCALAR SUBQUERY/),
      table === 'json_each'
        ? 'SCAN json_each VIRTUAL TABLE INDEX 1:'
        : expect.stringMatching(`^SEARCH ${table} USING PRIMARY KEY \\(\\w+=\\? AND \\w+=\\?\\)$`),
    ]),
  ]
  await seedPosts([ada, ada])
  const { nextCursor } = await homeFeed(asUser(ada), { limit: 1 })
  const check = async () => {
    expect(await planOfHome(ada)).toEqual(seeks)
    expect(await planOfHome(ada, nextCursor!)).toEqual(seeks)
  }
  await check()
  // Many posts by one author, then many followed accounts without posts: without CROSS JOIN, SQLite would scan posts.
  await seedPosts(Array.from({ length: 3_000 }, () => cyd))
  await env.SHARD_0.prepare('ANALYZE').run()
  await check()
  const quiet = await bulkIds(2_000, () => 1)
  await seedFollows(quiet.map((id) => [ada, id]))
  await env.SHARD_0.prepare('ANALYZE').run()
  await check()
})

test('an account page takes one index seek, in the list (lane) that the viewer may read', async () => {
  for (const hasViewer of [false, true]) {
    for (const hasCursor of [false, true]) {
      const { sql } = selectAccountFeed({ hasCursor, backward: false, hasViewer, isOwn: false }).toSQL()
      const { results } = await env.SHARD_0.prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .bind(...Array.from(sql.matchAll(/\?/g), () => 1))
        .all<{ detail: string }>()
      const plan = results.map(({ detail }) => detail).filter((detail) => /feed_index|TEMP/.test(detail))
      const seek = `SEARCH feed_index USING PRIMARY KEY (author_id=? AND lane=?${hasCursor ? ' AND post_id<?' : ''})`
      expect(plan).toEqual([seek])
    }
  }
})
