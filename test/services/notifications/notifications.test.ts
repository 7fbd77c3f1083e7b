import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { type Id, toId } from '../../../src/platform/data/ids.ts'
import { hubName } from '../../../src/platform/realtime/hubs.ts'
import { blockAccount, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { countUnread, listNotifications, markRead } from '../../../src/services/notifications/notifications.ts'
import { notificationSubscriptions } from '../../../src/services/notifications/subscriptions.ts'
import { likePost, unlikePost } from '../../../src/services/posts/likes.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { bulkIds, handleOf, markSuspended } from '../../support/actors.ts'
import { count, countRows, insertRows, shards } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { openSocket, type Socket } from '../../support/sockets.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { until } from '../../support/until.ts'
import { asModerator, asUser, wholePage } from '../../support/viewers.ts'

/** The notifications of an account as `kind actor post`, newest first. */
async function summariesOf(recipient: Id): Promise<string[]> {
  const { items } = await listNotifications(asUser(recipient), wholePage)
  return items.map(({ kind, actor, post, unread }) => `${kind} ${actor.id} ${post?.id}${unread ? '' : ' read'}`)
}
const unreadCount = async (recipient: Id) => (await countUnread(asUser(recipient))).count
const storedFor = (recipient: Id) => countRows('notifications', { account_id: recipient })
const kindsOf = (frames: Awaited<ReturnType<Socket['takeFrames']>>) =>
  frames.map(({ channel, data }) => `${channel} ${(data as { kind: string }).kind}`).sort()
const handlerOf = (type: string) => notificationSubscriptions.find(({ event }) => event?.type === type)!.run

test('a follow, a like, a comment and a mention create one notification each, listed newest first', async () => {
  const postId = await publishedId(ada)
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  await likePost(asUser(bob), { postId })
  await queues.deliver()
  const comment = await publishedId(bob, { parentId: postId, text: `for you, @${handleOf(ada)}` })
  await queues.deliver()
  const mention = await publishedId(cyd, { text: `@${handleOf(ada)} and @${handleOf(ada).toUpperCase()}` })
  await queues.deliver()
  expect(await summariesOf(ada)).toEqual([
    `mention ${cyd} ${mention}`,
    `comment ${bob} ${comment}`,
    `like ${bob} ${postId}`,
    `follow ${bob} undefined`,
  ])
  expect([await unreadCount(ada), await unreadCount(bob), await summariesOf(bob)]).toEqual([4, 0, []])
})

test('an event delivered ten times in any order creates one notification and one frame', async () => {
  const socket = await openSocket(ada)
  const postId = await publishedId(ada)
  await queues.deliver()
  await socket.takeFrames()
  await followAccount(asUser(bob), { accountId: ada })
  await likePost(asUser(bob), { postId })
  const comment = await publishedId(cyd, { parentId: postId, text: `@${handleOf(ada)}` })
  await queues.deliver({ times: 10 })
  expect((await summariesOf(ada)).sort()).toEqual([
    `comment ${cyd} ${comment}`,
    `follow ${bob} undefined`,
    `like ${bob} ${postId}`,
  ])
  const frames = await socket.takeFrames()
  expect(kindsOf(frames)).toEqual(['notifications comment', 'notifications follow', 'notifications like'])
  expect(frames.every(({ data }) => Object.keys(data as object).join() === 'id,kind')).toBe(true)
})

test('an account is not notified of its own actions or of those of an account that it blocks', async () => {
  const postId = await publishedId(ada)
  await likePost(asUser(ada), { postId })
  await publishedId(ada, { parentId: postId, text: `@${handleOf(ada)}` })
  await queues.deliver()
  expect([await summariesOf(ada), await storedFor(ada)]).toEqual([[], 0])

  // The like and the comment precede the block, but their events arrive after it.
  await likePost(asUser(bob), { postId })
  await publishedId(bob, { parentId: postId })
  const late = await queues.delayMessages({ run: true })
  await blockAccount(asUser(ada), { accountId: bob })
  queues.sent.push(...late)
  await queues.deliver()
  expect([await summariesOf(ada), await storedFor(ada), await unreadCount(ada)]).toEqual([[], 0, 0])
})

test('accounts are notified of mentions and replies, and read them, even if the thread is hidden from them', async () => {
  const mention = await publishedId(bob, { visibility: 'followers', text: `@${handleOf(ada)}` })
  await queues.deliver()
  const reply = await publishedId(ada, { parentId: mention })
  const answer = await publishedId(bob, { parentId: reply, text: `@${handleOf(cyd)}` })
  await queues.deliver()
  expect(await summariesOf(cyd)).toEqual([`mention ${bob} ${answer}`])
  expect(await unreadCount(cyd)).toBe(1)
  await deletePost(asUser(bob), { postId: mention })
  await queues.deliver()
  expect([await summariesOf(ada), await unreadCount(ada)]).toEqual([[`comment ${bob} ${answer}`], 1])
  expect(await summariesOf(cyd)).toEqual([`mention ${bob} ${answer}`])
  await deletePost(asUser(bob), { postId: answer })
  await queues.deliver()
  expect([await storedFor(ada), await storedFor(cyd)]).toEqual([0, 0])
})

test('a notification is listed and counted only while its actor and its post are visible', async () => {
  const postId = await publishedId(ada)
  await likePost(asUser(bob), { postId })
  await followAccount(asUser(cyd), { accountId: ada })
  const comment = await publishedId(cyd, { parentId: postId })
  await queues.deliver()
  const listedAndUnread = async () => [(await summariesOf(ada)).length, await unreadCount(ada)]
  expect(await listedAndUnread()).toEqual([3, 3])
  await deletePost(asUser(cyd), { postId: comment })
  expect(await listedAndUnread()).toEqual([2, 2])
  await suspendAccount(asModerator(ada), { accountId: cyd })
  expect(await listedAndUnread()).toEqual([1, 1])
  await blockAccount(asUser(ada), { accountId: bob })
  expect(await listedAndUnread()).toEqual([0, 0])
  await queues.deliver()
  await unblockAccount(asUser(ada), { accountId: bob })
  expect(await listedAndUnread()).toEqual([1, 1])
})

test('repeated likes and follows notify once per actor and target', async () => {
  const [first, second] = [await publishedId(ada), await publishedId(ada)]
  await queues.deliver()
  const socket = await openSocket(ada)
  for (let round = 0; round < 3; round++) {
    for (const act of [likePost, likePost, unlikePost, unlikePost, likePost]) await act(asUser(bob), { postId: first })
    for (const act of [followAccount, unfollowAccount, followAccount]) await act(asUser(bob), { accountId: ada })
    await queues.deliver()
  }
  expect(kindsOf(await socket.takeFrames())).toEqual(['notifications follow', 'notifications like'])
  expect(await summariesOf(ada)).toEqual([`follow ${bob} undefined`])
  await likePost(asUser(cyd), { postId: first })
  await likePost(asUser(bob), { postId: second })
  await followAccount(asUser(bob), { accountId: cyd })
  await queues.deliver()
  expect([(await summariesOf(ada)).length, await storedFor(ada), await storedFor(cyd)]).toEqual([3, 3, 1])
})

test('marking as read does not cover a notification that arrives later, even if its event is older', async () => {
  const postId = await publishedId(ada)
  await likePost(asUser(bob), { postId })
  const late = await queues.delayMessages({ run: true })
  await followAccount(asUser(cyd), { accountId: ada })
  await queues.deliver()
  await markRead(asUser(ada))
  expect([await unreadCount(ada), await summariesOf(ada)]).toEqual([0, [`follow ${cyd} undefined read`]])
  const readAt = Date.now()
  await until(() => Date.now() > readAt)
  queues.sent.push(...late)
  await queues.deliver()
  expect(await unreadCount(ada)).toBe(1)
  expect(await summariesOf(ada)).toEqual([`follow ${cyd} undefined read`, `like ${bob} ${postId}`])
})

test('a new notification is unread even if the clock is behind the time of the last mark-as-read', async () => {
  await shards[0]
    .prepare('insert into notification_markers values (?, ?)')
    .bind(Number(ada), Date.now() + 5_000)
    .run()
  const readAt = () =>
    count(`select read_at n from notification_markers where account_id = ${Number(ada)}`, [shards[0]])
  const before = await readAt()
  await markRead(asUser(ada))
  expect(await readAt()).toBe(before)
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  expect(await unreadCount(ada)).toBe(1)
})

test('the unread count stops at 100', async () => {
  const postId = await publishedId(ada)
  const rows = (await bulkIds(130)).map((actor, i) => ({
    account_id: Number(ada),
    id: 1_000_000 + i,
    kind: 'like',
    actor_id: Number(actor),
    post_id: Number(postId),
    arrived_at: 1,
  }))
  await insertRows(shards[0], 'notifications', rows)
  expect(await unreadCount(ada)).toBe(100)
  await markRead(asUser(ada))
  expect(await unreadCount(ada)).toBe(0)
})

test('a notification calls the hub of the recipient only while that hub has listeners', async () => {
  const postId = await publishedId(ada)
  await queues.deliver()
  const hubCallsFor = async (actorId: Id, hubs = 4) => {
    await likePost(asUser(actorId), { postId })
    const base = queues.context()
    const ctx = { ...base, config: { ...base.config, HUBS_PER_SHARD: hubs } }
    const own = [Number(postId), Number(actorId)]
    const like = shards[0].prepare('select id from likes where post_id = ? and account_id = ?').bind(...own)
    const { id } = (await like.first<{ id: number }>())!
    await handlerOf('post.liked')(ctx, { postId, authorId: ada, actorId }, toId(id))
    return ctx.cost.objectCalls
  }
  expect(await hubCallsFor(bob, 5)).toBe(0) // with another number of hubs, which nobody has used
  const socket = await openSocket(ada)
  expect(await hubCallsFor(cyd)).toBe(1)
  expect([(await socket.takeFrames()).length, await storedFor(ada)]).toEqual([1, 2])
})

test('the notification of a liked comment stores the root of its thread', async () => {
  const rootId = await publishedId(bob)
  const commentId = await publishedId(ada, { parentId: rootId })
  await queues.deliver()
  await likePost(asUser(cyd), { postId: commentId })
  await queues.deliver()
  expect(await countRows('notifications', { account_id: ada, post_id: commentId, root_id: rootId })).toBe(1)
})

test('an author who is suspended before the event of a like arrives is not notified', async () => {
  const postId = await publishedId(ada)
  await queues.deliver()
  await likePost(asUser(bob), { postId })
  const late = await queues.delayMessages({ run: false })
  await markSuspended(ada)
  queues.sent.push(...late)
  await queues.deliver()
  expect(await storedFor(ada)).toBe(0)
})

test('when the hub of one recipient fails, the notifications of all recipients are stored', async () => {
  const text = `hello ${[ada, bob, cyd].map((id) => `@${handleOf(id)}`).join(' ')}`
  const postId = await publishedId(ada, { text })
  await queues.finishDeferred({ run: false })
  const event = {
    postId,
    authorId: ada,
    rootId: null,
    parentId: null,
    parentAuthorId: null,
    mentioned: [ada, bob, cyd],
  }
  const ctx = queues.context()
  const broken = hubName(ctx, bob)
  await env.SHARD_1.prepare('insert into hubs values (?, 1)').bind(broken).run()
  const publish = (name: string) => (name === broken ? Promise.reject(new Error('down')) : Promise.resolve())
  const HUB = { getByName: (name: string) => ({ publish: () => publish(name) }) }
  ctx.env = { ...ctx.env, HUB } as unknown as typeof ctx.env
  await expect(handlerOf('post.published')(ctx, event, postId)).rejects.toThrow('down')
  expect([await storedFor(bob), await storedFor(cyd)]).toEqual([1, 1])
})
