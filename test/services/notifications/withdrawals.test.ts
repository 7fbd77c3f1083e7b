import { beforeEach, expect, test } from 'vitest'
import type { SystemCtx } from '../../../src/platform/context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { Committed } from '../../../src/platform/events/events.ts'
import { blockAccount, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { countUnread } from '../../../src/services/notifications/notifications.ts'
import { markRead } from '../../../src/services/notifications/reads.ts'
import { notificationSubscriptions } from '../../../src/services/notifications/subscriptions.ts'
import { likePost, unlikePost } from '../../../src/services/posts/likes.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { accountsOn, bulkIds, handleOf } from '../../support/actors.ts'
import { countRows, insertRows, shards } from '../../support/databases.ts'
import { type Message, queues } from '../../support/manual-queues.ts'
import { pauseBatches } from '../../support/pause.ts'
import { publishedId } from '../../support/posting.ts'
import { isFollowing } from '../../support/relations.ts'
import { openSocket } from '../../support/sockets.ts'
import { asUser } from '../../support/viewers.ts'

// Ada, who is notified, is on one shard. Bob, who acts, is on the other.
let ada: Id
let bob: Id
let postId: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob] = await accountsOn(0, 1)
  postId = await publishedId(ada)
  await queues.deliver()
})

const storedFor = (recipient: Id) => countRows('notifications', { account_id: recipient })
const storedAndUnread = async () => [await storedFor(ada), (await countUnread(asUser(ada))).count]

/** An action by Bob that notifies Ada, and a later action that withdraws this notification. */
type Case = { act: () => Promise<unknown>; withdraw: (id: Id) => Promise<unknown> }
const follow = () => followAccount(asUser(bob), { accountId: ada })
const like = () => likePost(asUser(bob), { postId })
const unlike = () => unlikePost(asUser(bob), { postId })
const cases: Record<string, Case> = {
  'an unlike': { act: like, withdraw: unlike },
  'an unlike of a post whose author blocks the actor': {
    act: like,
    withdraw: () => blockAccount(asUser(ada), { accountId: bob }).then(unlike),
  },
  'an unfollow': { act: follow, withdraw: () => unfollowAccount(asUser(bob), { accountId: ada }) },
  'a block of the follower': { act: follow, withdraw: () => blockAccount(asUser(ada), { accountId: bob }) },
  'a block by the follower': { act: follow, withdraw: () => blockAccount(asUser(bob), { accountId: ada }) },
  'a block that is lifted again': {
    act: follow,
    withdraw: async () => {
      await blockAccount(asUser(ada), { accountId: bob })
      await unblockAccount(asUser(ada), { accountId: bob })
    },
  },
  'the deletion of a comment': {
    act: () => publishedId(bob, { parentId: postId }),
    withdraw: (id) => deletePost(asUser(bob), { postId: id }),
  },
  'the deletion of a comment after its parent': {
    act: () => publishedId(bob, { parentId: postId }),
    withdraw: async (id) => {
      await deletePost(asUser(ada), { postId })
      await deletePost(asUser(bob), { postId: id })
    },
  },
  'the deletion of a liked post': { act: like, withdraw: () => deletePost(asUser(ada), { postId }) },
  'the deletion of a post with a mention': {
    act: () => publishedId(bob, { text: `hello @${handleOf(ada)}` }),
    withdraw: (id) => deletePost(asUser(bob), { postId: id }),
  },
}

test.each(Object.entries(cases))('%s removes the notification, however often its event arrives', async (_, each) => {
  const acted = await each.act()
  await queues.deliver()
  expect(await storedAndUnread()).toEqual([1, 1])
  await each.withdraw(acted as Id)
  await queues.deliver({ times: 3 })
  expect(await storedAndUnread()).toEqual([0, 0])
  await markRead(asUser(ada))
  expect(await storedAndUnread()).toEqual([0, 0])
})

test.each(Object.entries(cases))('%s leaves no row if its event arrives before the action event', async (_, each) => {
  const socket = await openSocket(ada)
  const acted = await each.act()
  const [action, withdrawal] = [await queues.delayMessages({ run: true }), await withdrawn(each, acted as Id)]
  await arrive(withdrawal)
  await arrive(action)
  const kinds = (await socket.takeFrames()).map(({ event }) => event)
  expect([...(await storedAndUnread()), kinds.includes('notification')]).toEqual([0, 0, false])
})

test.each(Object.entries(cases))('%s leaves no row if its event arrives with the action event', async (_, each) => {
  const acted = await each.act()
  const messages = [...(await queues.delayMessages({ run: true })), ...(await withdrawn(each, acted as Id))]
  queues.sent.push(...messages)
  await queues.deliver({ times: 3 })
  expect(await storedAndUnread()).toEqual([0, 0])
})

async function withdrawn({ withdraw }: Case, acted: Id): Promise<Message[]> {
  await withdraw(acted)
  return queues.delayMessages({ run: true })
}

/** Runs the notification subscriptions of an event, but none of another service. */
async function runNotifications(ctx: SystemCtx, { body }: Message): Promise<void> {
  const { type, data, id } = Committed.parse(body)
  for (const { event, run } of notificationSubscriptions) if (event?.type === type) await run(ctx, data, id)
}

async function arrive(messages: Message[]): Promise<void> {
  queues.sent.push(...messages)
  await queues.deliver()
}

test.each(
  ['an unlike', 'an unfollow', 'the deletion of a comment', 'the deletion of a post with a mention'].map(
    (name) => [name, cases[name]!] as const,
  ),
)('%s that commits while the notification is being written removes the notification', async (_, each) => {
  const acted = await each.act()
  const [event] = await queues.delayMessages({ run: true })
  const paused = pauseBatches(queues.context())
  const notifying = runNotifications(paused.ctx, event!)
  await paused.reached
  await each.withdraw(acted as Id)
  await queues.deliver()
  paused.resume()
  await notifying
  expect(await storedAndUnread()).toEqual([0, 0])
  await arrive([event!])
})

test('a follow that begins again while its withdrawal is being processed keeps one notification', async () => {
  await follow()
  await queues.deliver()
  await unfollowAccount(asUser(bob), { accountId: ada })
  const [event] = await queues.delayMessages({ run: true })
  const paused = pauseBatches(queues.context())
  const withdrawing = runNotifications(paused.ctx, event!)
  await paused.reached
  await follow()
  await queues.deliver()
  paused.resume()
  await withdrawing
  expect(await storedAndUnread()).toEqual([1, 1])
  await arrive([event!])
  expect(await storedAndUnread()).toEqual([1, 1])
})

test('a like whose post was deleted does not notify, although the like itself is not deleted yet', async () => {
  await like()
  const [event] = await queues.delayMessages({ run: false })
  await deletePost(asUser(ada), { postId })
  await runNotifications(queues.context(), event!)
  expect([await storedFor(ada), await countRows('likes', { post_id: postId })]).toEqual([0, 1])
  await arrive([event!])
  expect([await storedFor(ada), await countRows('likes', { post_id: postId })]).toEqual([0, 0])
})

test('a block removes the notification of a follow that the other shard has not ended yet', async () => {
  await follow()
  await queues.deliver()
  await blockAccount(asUser(ada), { accountId: bob })
  const [event] = await queues.delayMessages({ run: false })
  await runNotifications(queues.context(), event!)
  expect([await storedFor(ada), await isFollowing(bob, ada)]).toEqual([0, 1])
  await arrive([event!])
})

test('a like that is withdrawn and given again notifies at most once, whenever its events arrive', async () => {
  const socket = await openSocket(ada)
  await like()
  await queues.deliver()
  await unlike()
  expect(await storedAndUnread()).toEqual([0, 0])
  await queues.deliver()
  for (let times = 0; times < 2; times++) {
    await like()
    await queues.deliver({ times: 3 })
    expect([...(await storedAndUnread()), (await socket.takeFrames()).length]).toEqual([0, 0, times === 0 ? 2 : 0])
    await unlike()
  }
  postId = await publishedId(ada)
  await queues.deliver()
  await socket.takeFrames()
  await like()
  const late = await queues.delayMessages({ run: true })
  for (const act of [unlike, like, unlike, like]) await act()
  const others = await queues.delayMessages({ run: true })
  await arrive(others)
  await arrive([...late, ...late])
  expect([...(await storedAndUnread()), (await socket.takeFrames()).length]).toEqual([1, 1, 1])
})

test('what is remembered of withdrawn likes is deleted with the post', async () => {
  await like()
  await queues.deliver()
  await unlike()
  const remembered = () => countRows('withdrawn_likes', { account_id: bob, post_id: postId })
  expect(await remembered()).toBe(1)
  await deletePost(asUser(ada), { postId })
  await queues.deliver()
  expect(await remembered()).toBe(0)
})

test('a withdrawal removes no notification of another actor, post or kind', async () => {
  const [cyd] = await accountsOn(1)
  const other = await publishedId(ada)
  for (const [actor, liked] of [
    [bob, postId],
    [bob, other],
    [cyd, postId],
  ] as const)
    await likePost(asUser(actor), { postId: liked })
  await follow()
  const comment = await publishedId(bob, { parentId: postId, text: `@${handleOf(ada)} @${handleOf(cyd)}` })
  await publishedId(bob, { parentId: postId })
  await queues.deliver()
  expect([await storedFor(ada), await storedFor(cyd)]).toEqual([6, 1])
  await unlike()
  await queues.deliver()
  expect(await storedFor(ada)).toBe(5)
  await deletePost(asUser(bob), { postId: comment })
  await queues.deliver()
  expect([await storedFor(ada), await storedFor(cyd)]).toEqual([4, 0])
  await unfollowAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  expect([...(await storedAndUnread())]).toEqual([3, 3])
})

test('a like and its withdrawal read a few rows, however many notifications the recipient has', async () => {
  const rows = (await bulkIds(500)).map((actor, i) => ({
    account_id: Number(ada),
    id: 1_000_000 + i,
    kind: 'like',
    actor_id: Number(actor),
    post_id: Number(postId),
    arrived_at: 1,
  }))
  await insertRows(shards[0], 'notifications', rows)
  await like()
  await queues.deliver()
  const ctx = asUser(bob)
  await unlikePost(ctx, { postId })
  expect([await storedFor(ada), ctx.cost.trips, ctx.cost.rowsRead < 40]).toEqual([500, 1, true])
})
