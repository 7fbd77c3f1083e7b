import { expect, test } from 'vitest'
import { type Id, toId } from '../../../src/platform/data/ids.ts'
import { blockAccount, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { listGroupActors, listNotificationGroups } from '../../../src/services/notifications/groups.ts'
import { countUnread, listNotifications } from '../../../src/services/notifications/notifications.ts'
import { markGroupRead, markOneRead, markRead, markReadUpTo } from '../../../src/services/notifications/reads.ts'
import { likePost, unlikePost } from '../../../src/services/posts/likes.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { accountsOn, bulkIds, handleOf, markSuspended } from '../../support/actors.ts'
import { costOf, expectWithin, PAGE } from '../../support/budgets.ts'
import { insertRows, shards, unusedId } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { seedPosts } from '../../support/seed.ts'
import { openSocket } from '../../support/sockets.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asModerator, asUser, failure, wholePage } from '../../support/viewers.ts'

const groupsOf = async (recipient: Id) => (await listNotificationGroups(asUser(recipient), wholePage)).items
/** The groups as `kind count post: actors`, newest first. */
const summariesOf = async (recipient: Id) =>
  (await groupsOf(recipient)).map(
    ({ kind, post, actors, actorCount, unread }) =>
      `${kind} ${actorCount} ${post?.id}: ${actors.map(({ id }) => id).join()}${unread ? '' : ' read'}`,
  )
const unreadCount = async (recipient: Id) => (await countUnread(asUser(recipient))).count
const actorsOf = async (recipient: Id, notificationId: Id) =>
  (await listGroupActors(asUser(recipient), { notificationId, ...wholePage })).items.map(({ id }) => id)

async function likedBy(postId: Id, actors: readonly Id[]): Promise<void> {
  for (const actor of actors) {
    await likePost(asUser(actor), { postId })
    await queues.deliver()
  }
}

test('likes of a post are one entry with the newest actors and the count of all, and so are follows of a day', async () => {
  const [first, second] = [await publishedId(ada), await publishedId(ada)]
  const [dan, eve, fay] = await accountsOn(1, 0, 1)
  await likedBy(first, [bob, cyd, dan])
  await likedBy(second, [bob])
  for (const actor of [bob, eve, fay]) {
    await followAccount(asUser(actor), { accountId: ada })
    await queues.deliver()
  }
  await likedBy(first, [eve])
  const mention = await publishedId(cyd, { text: `@${handleOf(ada)}` })
  await queues.deliver()
  const expected = [
    `mention 1 ${mention}: ${cyd}`,
    `like 4 ${first}: ${eve},${dan},${cyd}`,
    `follow 3 undefined: ${fay},${eve},${bob}`,
    `like 1 ${second}: ${bob}`,
  ]
  expect(await summariesOf(ada)).toEqual(expected)
  const [, likes, follows] = await groupsOf(ada)
  expect(await actorsOf(ada, likes!.id)).toEqual([eve, dan, cyd, bob])
  expect(await actorsOf(ada, follows!.id)).toEqual([fay, eve, bob])
  for (const kind of ['like', 'mention'] as const) {
    const { items } = await listNotificationGroups(asUser(ada), { ...wholePage, kind })
    expect(items.map((item) => item.kind)).toEqual(kind === 'like' ? ['like', 'like'] : ['mention'])
  }
})

test('the count of a group is the length of its list, without blocked, suspended and withdrawn actors', async () => {
  const postId = await publishedId(ada)
  const [dan, eve] = await accountsOn(1, 0)
  await likedBy(postId, [bob, cyd, dan, eve])
  const countAndList = async () => {
    const [group] = await groupsOf(ada)
    const listed = group ? await actorsOf(ada, group.id) : []
    expect(group?.actorCount ?? 0).toBe(listed.length)
    return listed
  }
  expect(await countAndList()).toEqual([eve, dan, cyd, bob])
  await blockAccount(asUser(eve), { accountId: ada })
  await queues.deliver()
  expect(await countAndList()).toEqual([dan, cyd, bob])
  await suspendAccount(asModerator(ada), { accountId: dan })
  await queues.deliver()
  expect(await countAndList()).toEqual([cyd, bob])
  await unlikePost(asUser(cyd), { postId })
  await queues.deliver()
  expect(await countAndList()).toEqual([bob])
  await blockAccount(asUser(ada), { accountId: bob })
  expect(await countAndList()).toEqual([])
  await unblockAccount(asUser(ada), { accountId: bob })
  expect(await countAndList()).toEqual([bob])
})

test('the actors of a notification that is hidden, absent, of another account or in no group are not found', async () => {
  const postId = await publishedId(ada)
  await likedBy(postId, [bob])
  const comment = await publishedId(cyd, { parentId: postId })
  await queues.deliver()
  const { items } = await listNotifications(asUser(ada), wholePage)
  const [ofComment, ofLike] = items.map(({ id }) => id)
  await blockAccount(asUser(ada), { accountId: bob })
  for (const [viewer, notificationId] of [
    [ada, ofLike!],
    [ada, ofComment!],
    [ada, comment],
    [cyd, ofLike!],
  ] as const)
    await expect(listGroupActors(asUser(viewer), { notificationId, ...wholePage })).rejects.toEqual(
      failure('not_found'),
    )
})

test('marking one notification, a group or all up to one as read leaves the others unread', async () => {
  const [first, second] = [await publishedId(ada), await publishedId(ada)]
  await likedBy(first, [bob, cyd])
  await likedBy(second, [bob, cyd])
  const [newest, oldest] = await groupsOf(ada)
  await markOneRead(asUser(ada), { notificationId: newest!.id })
  expect([await unreadCount(ada), (await groupsOf(ada)).map(({ unread }) => unread)]).toEqual([3, [true, true]])
  await markOneRead(asUser(bob), { notificationId: oldest!.id })
  await markGroupRead(asUser(ada), { notificationId: newest!.id })
  expect([await unreadCount(ada), (await groupsOf(ada)).map(({ unread }) => unread)]).toEqual([2, [false, true]])
  const [dan] = await accountsOn(1)
  await likedBy(first, [dan])
  await markGroupRead(asUser(ada), { notificationId: oldest!.id })
  expect([await unreadCount(ada), (await groupsOf(ada)).map(({ unread }) => unread)]).toEqual([1, [true, false]])
  await likedBy(second, [dan])
  const { items } = await listNotifications(asUser(ada), wholePage)
  await markReadUpTo(asUser(ada), { notificationId: items[1]!.id })
  expect([await unreadCount(ada), items[1]!.post?.id]).toEqual([1, first])
  await markRead(asUser(ada))
  expect(await unreadCount(ada)).toBe(0)
})

test('pages show each group once, while groups that they have shown grow', async () => {
  const posts: Id[] = []
  for (let n = 0; n < 6; n++) {
    posts.unshift(await publishedId(ada))
    await likedBy(posts[0]!, [bob])
  }
  const first = await listNotificationGroups(asUser(ada), { limit: 2 })
  await likedBy(posts[0]!, [cyd])
  const second = await listNotificationGroups(asUser(ada), { limit: 2, cursor: first.nextCursor! })
  const third = await listNotificationGroups(asUser(ada), { limit: 2, cursor: second.nextCursor! })
  const shown = [first, second, third].flatMap(({ items }) => items.map(({ post }) => post?.id))
  expect([shown, third.nextCursor]).toEqual([posts, null])
  const back = await listNotificationGroups(asUser(ada), { limit: 2, cursor: third.previousCursor! })
  expect(back.items).toEqual(second.items)
})

test('a page of groups takes one trip and one wave', async () => {
  const [reader] = await accountsOn(0)
  const posts = await seedPosts(Array.from({ length: PAGE + 5 }, () => reader))
  const actors = await bulkIds(4)
  const like = (post: Id, actor: Id) => ({
    account_id: Number(reader),
    id: Number(unusedId(0, Date.now())),
    kind: 'like',
    actor_id: Number(actor),
    post_id: Number(post),
    group_id: Number(post),
    arrived_at: 1,
  })
  await insertRows(
    shards[0],
    'notifications',
    posts.flatMap((post) => actors.map((actor) => like(post, actor))),
  )
  const cost = await costOf(reader, (ctx) => listNotificationGroups(ctx, { limit: PAGE }))
  expectWithin('page of groups', cost, { trips: 3, rowsRead: 80 * PAGE })
})

test('a page looks at a thousand rows, however many members a group has, and the next page goes on behind them', async () => {
  const [reader] = await accountsOn(0)
  const [viral, other] = (await seedPosts([reader, reader])) as [Id, Id]
  const fans = (await bulkIds(10)).map(Number)
  const row = { account_id: Number(reader), kind: 'like', arrived_at: 1 }
  const many = Array.from({ length: 5_000 }, (_, i) => ({
    ...row,
    id: 1_000_000 + i,
    actor_id: fans[i % 10]!,
    post_id: Number(viral),
    group_id: Number(viral),
  }))
  const older = { ...row, id: 1_000, actor_id: fans[0]!, post_id: Number(other), group_id: Number(other) }
  await insertRows(shards[0], 'notifications', [...many, older])
  await markRead(asUser(reader))
  const ctx = asUser(reader)
  let page = await listNotificationGroups(ctx, { limit: PAGE })
  expect(page.items).toMatchObject([{ actorCount: 1_000, unread: false }])
  expect([ctx.cost.trips <= 4, ctx.cost.rowsRead < 16_000]).toEqual([true, true])
  const shown: (Id | undefined)[] = []
  for (; page.nextCursor; page = await listNotificationGroups(asUser(reader), { limit: PAGE, cursor: page.nextCursor }))
    shown.push(...page.items.map(({ post }) => post?.id))
  shown.push(...page.items.map(({ post }) => post?.id))
  expect(shown).toEqual([viral, other])
  const actors = await costOf(reader, (each) => listGroupActors(each, { notificationId: toId(1_000), limit: PAGE }))
  const marking = await costOf(reader, (each) => markReadUpTo(each, { notificationId: toId(1_002_000) }))
  expect([actors.rowsRead < 40, marking.rowsRead < 10, marking.rowsWritten < 3]).toEqual([true, true, true])
})

test('a withdrawn like, follow, comment or post is announced on the socket once it has no notification', async () => {
  const postId = await publishedId(ada)
  await likedBy(postId, [bob])
  await followAccount(asUser(bob), { accountId: ada })
  const comment = await publishedId(cyd, { parentId: postId })
  await queues.deliver()
  const ids = (await listNotifications(asUser(ada), wholePage)).items.map(({ id }) => id)
  const socket = await openSocket(ada)
  await socket.takeFrames()
  await unlikePost(asUser(bob), { postId })
  await unfollowAccount(asUser(bob), { accountId: ada })
  await deletePost(asUser(cyd), { postId: comment })
  await queues.deliver({ times: 3 })
  const frames = await socket.takeFrames()
  expect(frames.map(({ event }) => event)).toEqual(Array(3).fill('notification.withdrawn'))
  expect(frames.flatMap(({ data }) => (data as { ids: Id[] }).ids).sort()).toEqual(ids.sort())
  await likePost(asUser(bob), { postId })
  await unlikePost(asUser(bob), { postId })
  await queues.deliver()
  expect(await socket.takeFrames()).toEqual([])
  await deletePost(asUser(ada), { postId })
  await queues.deliver({ times: 3 })
  expect((await socket.takeFrames()).map(({ data }) => data)).toContainEqual({ ids: [], postId })
})

test('a withdrawal that the person may not see is not announced', async () => {
  const [dan, eve] = await accountsOn(1, 1)
  const mention = (by: Id) => publishedId(by, { text: `@${handleOf(ada)}` })
  const [byBob, byDan] = [await mention(bob), await mention(dan)]
  const postId = await publishedId(ada)
  await likedBy(postId, [eve])
  await blockAccount(asUser(bob), { accountId: ada })
  await blockAccount(asUser(ada), { accountId: eve })
  await queues.deliver()
  await markSuspended(dan)
  const socket = await openSocket(ada)
  await socket.takeFrames()
  await deletePost(asUser(bob), { postId: byBob })
  await deletePost(asUser(dan), { postId: byDan })
  await unlikePost(asUser(eve), { postId })
  await queues.deliver()
  expect(await socket.takeFrames()).toEqual([])
})
