import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { hubName } from '../../../src/platform/realtime/hubs.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { indexAndAnnounce } from '../../../src/services/feed/announce.ts'
import { accountFeed } from '../../../src/services/feed/feeds.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { count, countRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { withLaggingReplicas } from '../../support/replica-lag.ts'
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

const published = (postId: Id, authorId: Id) => ({ postId, authorId, rootId: null })

test('a post is indexed on every shard while D1 replicas lag', async () => {
  const id = await publishedId(ada)
  const ctx = createContext({ env: withLaggingReplicas(queues.env), waitUntil: () => {} })
  await indexAndAnnounce(ctx, [published(id, ada)])
  expect([await indexRows(id), await isPublic(id)]).toEqual([3, 1])
})

test('indexing a comment queries no database', async () => {
  const rootId = await publishedId(ada)
  const comment = await publishedId(bob, { parentId: rootId })
  const ctx = queues.context()
  await indexAndAnnounce(ctx, [{ postId: comment, authorId: bob, rootId }])
  expect(ctx.cost).toMatchObject({ trips: 0, rowsRead: 0, rowsWritten: 0, objectCalls: 0 })
})

test('a deleted post stays out of all indexes when its post.published event is delivered late', async () => {
  const postId = await publishedId(ada)
  const late = await queues.delayMessages({ run: true })
  await deletePost(asUser(ada), { postId })
  await queues.deliver()
  queues.sent.push(...late)
  await queues.deliver()
  expect([await indexRows(postId), await isPublic(postId)]).toEqual([0, 0])
})

test('a post is sent once to the author and online followers, despite duplicates, and to nobody else', async () => {
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

  // With a follower on the author's own shard, the author still gets the post only once.
  await followAccount(asUser(cyd), { accountId: ada })
  await queues.deliver()
  await Promise.all([author, stranger].map((socket) => socket.takeFrames()))
  await publishedId(ada)
  await queues.deliver()
  expect([await homeFrames(author), await homeFrames(stranger)]).toEqual([[expect.anything()], [expect.anything()]])
})

test('when one hub fails, the others still get the post, and a retry reaches each of them once', async () => {
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  const [author, follower] = [await openSocket(ada), await openSocket(bob)]
  const postId = await publishedId(ada)
  await queues.finishDeferred({ run: false })
  const ctx = queues.context()
  const broken = hubName(ctx, bob)
  const publish = () => Promise.reject(new Error('down'))
  const getByName = (name: string) => (name === broken ? { publish } : env.HUB.getByName(name))
  const failing = { ...ctx, env: { ...ctx.env, HUB: { getByName } } as unknown as Env }
  await expect(indexAndAnnounce(failing, [published(postId, ada)])).rejects.toThrow('down')
  await indexAndAnnounce(ctx, [published(postId, ada)])
  expect([(await author.takeFrames()).length, (await follower.takeFrames()).length]).toEqual([1, 1])
})

test('the posts of a queue batch reach a hub in one call, and a deleted one among them is not announced', async () => {
  const socket = await openSocket(ada)
  const ids = [await publishedId(ada), await publishedId(ada), await publishedId(ada)]
  await deletePost(asUser(ada), { postId: ids[1]! })
  await queues.delayMessages({ run: false })
  const ctx = queues.context()
  const posts = ids.map((id) => published(id, ada))
  await indexAndAnnounce(ctx, posts)
  const hubs = await count('select count(*) n from hubs')
  // The last two trips remove the deleted post again.
  expect(ctx.cost).toMatchObject({ trips: 3 + 2, objectCalls: hubs })
  expect((await socket.takeFrames()).map(({ data }) => (data as { postId: Id }).postId)).toEqual([ids[0], ids[2]])
  expect(await indexRows(ids[1]!)).toBe(0)
})

test('a blocked follower gets no frame of a post, even before the follower’s shard has processed the block', async () => {
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

test('an account gets frames of posts as soon as a follow is answered, and none once an unfollow is answered', async () => {
  const socket = await openSocket(bob)
  const heard = async () => {
    const postId = await publishedId(ada)
    await queues.finishDeferred({ run: false })
    await indexAndAnnounce(queues.context(), [published(postId, ada)])
    return (await socket.takeFrames()).length
  }
  expect(await heard()).toBe(0)
  await followAccount(asUser(bob), { accountId: ada })
  expect(await heard()).toBe(1)
  await unfollowAccount(asUser(bob), { accountId: ada })
  expect(await heard()).toBe(0)
  await followAccount(asUser(bob), { accountId: ada })
  await blockAccount(asUser(bob), { accountId: ada })
  expect(await heard()).toBe(0)
  await queues.delayMessages({ run: false })
})

test('a follow succeeds while the hub is down, and its event tells the hub later', async () => {
  const socket = await openSocket(bob)
  const ctx = asUser(bob)
  const refresh = () => Promise.reject(new Error('down'))
  Object.assign(ctx, { env: { ...ctx.env, HUB: { getByName: () => ({ refresh }) } } })
  expect((await followAccount(ctx, { accountId: ada })).relation?.following).toBe(true)
  await queues.deliver()
  await publishedId(ada)
  await queues.deliver()
  expect((await socket.takeFrames()).map(({ event }) => event)).toEqual(['post.published'])
})

test('only a block by the author hides a post, and a retry after the block arrived sends no second frame', async () => {
  await followAccount(asUser(bob), { accountId: ada })
  await followAccount(asUser(cyd), { accountId: ada })
  await queues.deliver()
  const [blocked, other] = [await openSocket(bob), await openSocket(cyd)]
  await blockAccount(asUser(cyd), { accountId: bob })
  await blockAccount(asUser(ada), { accountId: bob })
  const late = await queues.delayMessages({ run: false })
  const postId = await publishedId(ada)
  await queues.finishDeferred({ run: false })
  await indexAndAnnounce(queues.context(), [published(postId, ada)])
  queues.sent.push(...late)
  await queues.deliver({ times: 2 })
  await indexAndAnnounce(queues.context(), [published(postId, ada)])
  expect([(await blocked.takeFrames()).length, (await other.takeFrames()).length]).toEqual([0, 1])
})
