import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { asViewer, type Ctx, createContext, type UserCtx } from '../../../src/platform/context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { seek } from '../../../src/platform/data/page.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { pushToOnlineFollowers, replicatePost } from '../../../src/services/feed/fan-out.ts'
import { accountFeed, homeFeed, publicFeed, selectHome } from '../../../src/services/feed/feeds.ts'
import { feedIndex } from '../../../src/services/feed/tables.ts'
import { createPost, deletePost } from '../../../src/services/posts/posts.ts'
import { heldBack } from '../../support/held.ts'
import { withLaggingReplicas } from '../../support/lagging.ts'
import { insertRows, seedFollows, seedPeople, seedPosts } from '../../support/rows.ts'
import { openSocket } from '../../support/sockets.ts'
import { count, draft, shards } from '../../support/town.ts'

const held = heldBack()
const as = (id: Id): UserCtx => asViewer(held.context(), id)
const nobody = (): Ctx => ({ ...held.context(), viewer: null })
const page = { limit: 50 }
const idsOf = ({ items }: { items: readonly { id: Id }[] }) => items.map(({ id }) => id)

// Ada and Cyd live on one shard, Bob on the other.
let ada: Id
let bob: Id
let cyd: Id
beforeEach(async () => {
  await held.deliver()
  const people = await seedPeople(`p${crypto.randomUUID().slice(0, 8)}_`, 3, (i) => i % 2)
  ;[ada, bob, cyd] = people.map(({ id }) => id) as [Id, Id, Id]
})

const post = async (author: Id, input: Partial<Parameters<typeof draft>[0]> = {}) =>
  (await createPost(as(author), draft({ text: 'hello', ...input }))).value.id
const indexed = (postId: Id) => count(`SELECT count(*) n FROM feed_index WHERE post_id = ${Number(postId)}`)
const listed = (postId: Id) =>
  count(`SELECT count(*) n FROM public_posts WHERE post_id = ${Number(postId)}`, [env.INDEX])

test('a post is in its author’s index at once and on every shard soon; comments stay at home', async () => {
  const open = await post(ada)
  const closed = await post(ada, { visibility: 'followers' })
  const comment = await post(bob, { parentId: open })
  expect([await indexed(open), await indexed(closed), await listed(open)]).toEqual([1, 1, 0])
  await held.deliver({ times: 3 })
  expect([await indexed(open), await indexed(closed), await indexed(comment)]).toEqual([2, 2, 1])
  expect([await listed(open), await listed(closed), await listed(comment)]).toEqual([1, 0, 0])
  expect(idsOf(await accountFeed(nobody(), { accountId: ada, ...page }))).toEqual([open])
  expect(idsOf(await accountFeed(nobody(), { accountId: bob, ...page }))).toEqual([])
  await deletePost(as(ada), { postId: open })
  await held.deliver()
  expect([await indexed(open), await listed(open)]).toEqual([0, 0])
})

test('a post is spread though replicas have not heard of it', async () => {
  const id = await post(ada)
  const request = createContext({ env: withLaggingReplicas(held.env), waitUntil: () => {} })
  await replicatePost(request, { id, authorId: ada })
  expect([await indexed(id), await listed(id)]).toEqual([2, 1])
})

test('a comment, which is in no feed, asks nothing of the other shards', async () => {
  const comment = await post(bob, { parentId: await post(ada) })
  const ctx = held.context()
  await replicatePost(ctx, { id: comment, authorId: bob })
  expect(ctx.cost).toMatchObject({ trips: 2, rowsRead: 2, rowsWritten: 0 })
})

test('a post that was deleted stays gone, though the news of it comes later', async () => {
  const gone = await post(ada)
  await held.afterwards({ run: true })
  const published = held.sent.splice(0)
  await deletePost(as(ada), { postId: gone })
  await held.deliver()
  held.sent.push(...published)
  await held.deliver()
  expect([await indexed(gone), await listed(gone)]).toEqual([0, 0])
})

test('a home feed is what the people followed and the reader posted, newest first, until they are followed no more', async () => {
  for (const whom of [ada, cyd]) await followAccount(as(bob), { accountId: whom })
  await held.deliver()
  const posts = [await post(ada), await post(cyd, { visibility: 'followers' }), await post(bob), await post(ada)]
  await held.deliver()
  const newestFirst = (...ids: Id[]) => ids.sort((a, b) => Number(b) - Number(a)) // two of one moment come in any order
  const home = async () => idsOf(await homeFeed(as(bob), page))
  expect(await home()).toEqual(newestFirst(...posts))
  expect(idsOf(await homeFeed(as(ada), page))).toEqual(newestFirst(posts[3]!, posts[0]!))

  await unfollowAccount(as(bob), { accountId: cyd })
  expect(await home()).not.toContain(posts[1])
  await deletePost(as(ada), { postId: posts[3]! })
  expect(await home()).not.toContain(posts[3])
  await blockAccount(as(ada), { accountId: bob })
  expect(await home()).toEqual([posts[2]])
})

test('posts that the reader may not see leave no gap in a feed: the pages go on behind them', async () => {
  const [eve] = (await seedPeople(`e${crypto.randomUUID().slice(0, 8)}_`, 1, () => 1)).map(({ id }) => id) as [Id]
  const posts = await seedPosts([ada, eve, eve, eve, eve, ada, eve, ada])
  await blockAccount(as(eve), { accountId: bob })
  const read: Id[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const { items, nextCursor } = await publicFeed(as(bob), { limit: 2, cursor })
    read.push(...items.map(({ id }) => id))
    cursor = read.includes(posts[0]!) ? null : nextCursor
  }
  expect(read.filter((id) => posts.includes(id))).toEqual([posts[7], posts[5], posts[0]])
})

async function plan(readerId: Id, cursor?: string): Promise<string[]> {
  const ctx = held.context()
  const from = await seek(ctx, { limit: 20, ...(cursor && { cursor }) }, `home feed of ${readerId}`, feedIndex.postId)
  const { sql, params } = selectHome(ctx.db.shard(0), readerId, from).toSQL()
  const { results } = await env.SHARD_0.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...params)
    .all<{ detail: string }>()
  return results.map(({ detail }) => detail)
}

test('a home feed only seeks, on its first page and later ones, whatever the statistics say', async () => {
  const seeks = [
    'CO-ROUTINE found',
    'SEARCH follows USING PRIMARY KEY (follower_id=?)',
    expect.stringMatching(/^SEARCH feed_index USING PRIMARY KEY \(author_id=\? AND lane=\?/),
    'USE TEMP B-TREE FOR ORDER BY',
    'SCAN found',
    'SEARCH posts USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN',
    'SEARCH accounts USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN',
    ...['blocks', 'followers', 'likes'].flatMap((table) => [
      expect.stringMatching(/^CORRELATED SCALAR SUBQUERY/),
      expect.stringMatching(`^SEARCH ${table} USING PRIMARY KEY \\(\\w+=\\? AND \\w+=\\?\\)$`),
    ]),
  ]
  await seedPosts([ada, ada])
  const { nextCursor } = await homeFeed(as(ada), { limit: 1 })
  const check = async () => {
    expect(await plan(ada)).toEqual(seeks)
    expect(await plan(ada, nextCursor!)).toEqual(seeks)
  }
  await check()
  // Many posts of one author, then besides many people followed who post nothing: a planner left free scans the posts.
  await seedPosts(Array.from({ length: 3_000 }, () => cyd))
  await env.SHARD_0.prepare('ANALYZE').run()
  await check()
  const quiet = (await seedPeople(`c${crypto.randomUUID().slice(0, 8)}_`, 2_000, () => 1)).map(({ id }) => id)
  await seedFollows(quiet.map((id) => [ada, id]))
  await env.SHARD_0.prepare('ANALYZE').run()
  await check()
})

test('online followers hear of a post once, however often the news comes; the others not at all', async () => {
  await followAccount(as(bob), { accountId: ada })
  await held.deliver()
  const [follower, stranger, author] = [await openSocket(bob), await openSocket(cyd), await openSocket(ada)]
  const open = await post(ada, { visibility: 'followers' })
  await held.deliver({ times: 3 })
  const heard = [
    { seq: expect.any(Number), channel: 'home', event: 'post.published', data: { postId: open, authorId: ada } },
  ]
  const onHome = async (socket: typeof follower) => (await socket.takeFrames()).filter(({ channel }) => channel === 'home')
  expect([await onHome(follower), await onHome(author), await onHome(stranger)]).toEqual([heard, heard, []])

  await post(cyd)
  await post(ada, { parentId: open })
  await held.deliver()
  expect(await onHome(follower)).toEqual([])

  // Beside a follower of their own shard the author hears of it too.
  await followAccount(as(cyd), { accountId: ada })
  await held.deliver()
  await Promise.all([author, stranger].map((socket) => socket.takeFrames()))
  await post(ada)
  await held.deliver()
  expect([await onHome(author), await onHome(stranger)]).toEqual([[expect.anything()], [expect.anything()]])
})

test('a hub that does not answer keeps no other follower from hearing of a post', async () => {
  const fans = (await seedPeople(`h${crypto.randomUUID().slice(0, 8)}_`, 8, () => 1)).map(({ id }) => id)
  await insertRows(
    shards[1]!,
    'presence',
    fans.map((id) => ({ account_id: Number(id) })),
  )
  await seedFollows(fans.map((fan) => [fan, ada]))
  const postId = await post(ada)
  const ctx = held.context()
  const heard: string[] = []
  const hubOf = (name: string) => ({
    publish: async () => (name === fans[2] ? Promise.reject(new Error('down')) : void heard.push(name)),
  })
  ctx.env = { ...ctx.env, HUB: { getByName: hubOf } } as unknown as typeof ctx.env
  await pushToOnlineFollowers(ctx, { postId, authorId: ada, shard: 1, after: null, told: 0 })
  expect(heard.sort()).toEqual(fans.toSpliced(2, 1).sort())
})

test('who was blocked before a post is not told of it, though their own shard does not know yet', async () => {
  await followAccount(as(bob), { accountId: ada })
  await held.deliver()
  const socket = await openSocket(bob)
  await blockAccount(as(ada), { accountId: bob })
  await held.afterwards({ run: false })
  const late = held.sent.splice(0)
  await post(ada)
  await held.deliver()
  expect(await socket.takeFrames()).toEqual([])
  held.sent.push(...late)
  await held.deliver()
})

test('a crowd is looked through a thousand at a time, and told up to the limit', async () => {
  const fans = (await seedPeople(`f${crypto.randomUUID().slice(0, 8)}_`, 1_030, () => 1)).map(({ id }) => id)
  await insertRows(
    shards[1]!,
    'presence',
    fans.map((id) => ({ account_id: Number(id) })),
  )
  const inOrder = [...fans].sort((a, b) => Number(a) - Number(b))
  const stillThere = [...inOrder.slice(0, 5), ...inOrder.slice(-3)]
  const follows = fans.map((fan) => ({ follower_id: Number(fan), followee_id: Number(ada) }))
  await insertRows(shards[1]!, 'follows', follows)
  await seedFollows(stillThere.map((fan) => [fan, ada]))
  const first = { postId: await post(ada), authorId: ada, shard: 1, after: null as Id | null, told: 0 }
  await held.afterwards({ run: true })
  held.sent.splice(0)

  const push = async (announcement: typeof first, limit: number) => {
    const ctx = held.context()
    ctx.config = { ...ctx.config, ONLINE_PUSH_LIMIT: limit }
    await pushToOnlineFollowers(ctx, announcement)
    const [rest] = held.sent.splice(0)
    return { told: ctx.cost.objectCalls, rest: (rest?.body as { data: typeof first } | undefined)?.data }
  }
  expect(await push(first, 4)).toEqual({ told: 4, rest: undefined })
  const { told, rest } = await push(first, 100)
  expect([told, rest]).toEqual([5, { ...first, after: inOrder[999], told: 5 }])
  expect(await push(rest!, 100)).toEqual({ told: 3, rest: undefined })
  expect(await push(rest!, 6)).toEqual({ told: 1, rest: undefined })
})
