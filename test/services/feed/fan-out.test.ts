import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { pushToOnlineFollowers } from '../../../src/services/feed/fan-out.ts'
import { accountFeed } from '../../../src/services/feed/feeds.ts'
import { replicatePost } from '../../../src/services/feed/replicate.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { bulkIds } from '../../support/actors.ts'
import { countRows, insertRows, shards } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { withLaggingReplicas } from '../../support/replica-lag.ts'
import { seedFollows, seedOnline } from '../../support/seed.ts'
import { openSocket, type Socket } from '../../support/sockets.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asAnonymous, asUser, idsOf, wholePage } from '../../support/viewers.ts'

/** Counts the index rows of a post: one per shard that indexes it, and one more on its own shard if it is public. */
const indexRows = (postId: Id) => countRows('feed_index', { post_id: postId })
const isPublic = (postId: Id) => countRows('public_posts', { post_id: postId }, [env.INDEX])
const feedOf = async (accountId: Id) => idsOf(await accountFeed(asAnonymous(), { accountId, ...wholePage }))

test('a post is indexed on its shard at once and on all shards by its event; a comment only on its shard', async () => {
  const open = await publishedId(ada)
  const closed = await publishedId(ada, { visibility: 'followers' })
  const comment = await publishedId(bob, { parentId: open })
  expect([await indexRows(open), await indexRows(closed), await isPublic(open)]).toEqual([2, 1, 0])
  await queues.deliver({ times: 3 })
  expect([await indexRows(open), await indexRows(closed), await indexRows(comment)]).toEqual([3, 2, 1])
  expect([await isPublic(open), await isPublic(closed), await isPublic(comment)]).toEqual([1, 0, 0])
  expect([await feedOf(ada), await feedOf(bob)]).toEqual([[open], []])
  await deletePost(asUser(ada), { postId: open })
  await queues.deliver()
  expect([await indexRows(open), await isPublic(open)]).toEqual([0, 0])
})

test('a post is replicated to the feed index of every shard while D1 replicas lag', async () => {
  const id = await publishedId(ada)
  const ctx = createContext({ env: withLaggingReplicas(queues.env), waitUntil: () => {} })
  await replicatePost(ctx, { id, authorId: ada })
  expect([await indexRows(id), await isPublic(id)]).toEqual([3, 1])
})

test('replicating a comment does not query the other shards', async () => {
  const comment = await publishedId(bob, { parentId: await publishedId(ada) })
  const ctx = queues.context()
  await replicatePost(ctx, { id: comment, authorId: bob })
  expect(ctx.cost).toMatchObject({ trips: 2, rowsRead: 2, rowsWritten: 0 })
})

test('a deleted post stays out of all indexes when its post.published event is delivered late', async () => {
  const postId = await publishedId(ada)
  const published = await queues.delayMessages({ run: true })
  await deletePost(asUser(ada), { postId })
  await queues.deliver()
  queues.sent.push(...published)
  await queues.deliver()
  expect([await indexRows(postId), await isPublic(postId)]).toEqual([0, 0])
})

test('a post is pushed once to the author and online followers, despite duplicates, and to nobody else', async () => {
  const homeFrames = async (socket: Socket) => (await socket.takeFrames()).filter(({ channel }) => channel === 'home')
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  const [follower, stranger, author] = [await openSocket(bob), await openSocket(cyd), await openSocket(ada)]
  const postId = await publishedId(ada, { visibility: 'followers' })
  await queues.deliver({ times: 3 })
  const pushed = [
    { seq: expect.any(Number), channel: 'home', event: 'post.published', data: { postId, authorId: ada } },
  ]
  expect([await homeFrames(follower), await homeFrames(author), await homeFrames(stranger)]).toEqual([
    pushed,
    pushed,
    [],
  ])

  await publishedId(cyd)
  await publishedId(ada, { parentId: postId })
  await queues.deliver()
  expect(await homeFrames(follower)).toEqual([])

  // With a follower on the author's own shard, the author still gets only one push.
  await followAccount(asUser(cyd), { accountId: ada })
  await queues.deliver()
  await Promise.all([author, stranger].map((socket) => socket.takeFrames()))
  await publishedId(ada)
  await queues.deliver()
  expect([await homeFrames(author), await homeFrames(stranger)]).toEqual([[expect.anything()], [expect.anything()]])
})

test('when the UserHub of one follower fails, the post is still pushed to the other followers', async () => {
  const fans = await bulkIds(8, () => 1)
  await seedOnline(1, fans)
  await seedFollows(fans.map((fan) => [fan, ada]))
  const postId = await publishedId(ada)
  const ctx = queues.context()
  const reached: string[] = []
  const getByName = (name: string) => ({
    publish: async () => (name === fans[2] ? Promise.reject(new Error('down')) : void reached.push(name)),
  })
  ctx.env = { ...ctx.env, HUB: { getByName } } as unknown as typeof ctx.env
  await pushToOnlineFollowers(ctx, { postId, authorId: ada, shard: 1, after: null, pushed: 0 })
  expect(reached.sort()).toEqual(fans.toSpliced(2, 1).sort())
})

test('a blocked follower gets no push, even before the shard of the follower has processed the block', async () => {
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  const socket = await openSocket(bob)
  await blockAccount(asUser(ada), { accountId: bob })
  const late = await queues.delayMessages({ run: false })
  await publishedId(ada)
  await queues.deliver()
  expect(await socket.takeFrames()).toEqual([])
  queues.sent.push(...late)
  await queues.deliver()
})

test('a push task processes 1,000 online followers, and pushing stops at ONLINE_PUSH_LIMIT', async () => {
  const fans = await bulkIds(1_030, () => 1)
  await seedOnline(1, fans)
  const inOrder = [...fans].sort((a, b) => Number(a) - Number(b))
  // Every fan has a follow row on shard 1. Only these have a follower row on the author's shard too and get the push.
  const followers = [...inOrder.slice(0, 5), ...inOrder.slice(-3)]
  const follows = fans.map((fan, i) => ({ follower_id: Number(fan), id: i + 1, followee_id: Number(ada) }))
  await insertRows(shards[1], 'follows', follows)
  await seedFollows(followers.map((fan) => [fan, ada]))
  const first = { postId: await publishedId(ada), authorId: ada, shard: 1, after: null as Id | null, pushed: 0 }
  await queues.delayMessages({ run: true })

  const push = async (task: typeof first, limit: number) => {
    const ctx = queues.context()
    ctx.env = Object.assign({ ...ctx.env }, { ONLINE_PUSH_LIMIT: String(limit) })
    await pushToOnlineFollowers(ctx, task)
    const [rest] = queues.sent.splice(0)
    return { pushed: ctx.cost.objectCalls, rest: (rest?.body as { data: typeof first } | undefined)?.data }
  }
  expect(await push(first, 4)).toEqual({ pushed: 4, rest: undefined })
  const { pushed, rest } = await push(first, 100)
  expect([pushed, rest]).toEqual([5, { ...first, after: inOrder[999], pushed: 5 }])
  expect(await push(rest!, 100)).toEqual({ pushed: 3, rest: undefined })
  expect(await push(rest!, 6)).toEqual({ pushed: 1, rest: undefined })
})
