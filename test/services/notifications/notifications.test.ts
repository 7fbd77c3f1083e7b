import { beforeEach, expect, test, vi } from 'vitest'
import { asViewer, type UserCtx } from '../../../src/platform/context.ts'
import { type Id, shardOf } from '../../../src/platform/data/ids.ts'
import { blockAccount, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { countUnread, listNotifications, markRead } from '../../../src/services/notifications/notifications.ts'
import { notificationSubscriptions } from '../../../src/services/notifications/subscriptions.ts'
import { likePost, unlikePost } from '../../../src/services/posts/likes.ts'
import { createPost, deletePost } from '../../../src/services/posts/posts.ts'
import { heldBack } from '../../support/held.ts'
import { insertRows, seedPeople } from '../../support/rows.ts'
import { openSocket } from '../../support/sockets.ts'
import { count, draft, moderating, shards } from '../../support/town.ts'

const held = heldBack()
const as = (id: Id): UserCtx => asViewer(held.context(), id)

// Ada and Cyd live on one shard, Bob on the other.
let ada: Id
let bob: Id
let cyd: Id
let handle: string
let handles: string[]
beforeEach(async () => {
  await held.deliver()
  const people = await seedPeople(`p${crypto.randomUUID().slice(0, 8)}_`, 3, (i) => i % 2)
  ;[ada, bob, cyd] = people.map(({ id }) => id) as [Id, Id, Id]
  handles = people.map((person) => person.handle)
  handle = handles[0]!
})

const post = async (author: Id, input: Partial<Parameters<typeof draft>[0]> = {}) =>
  (await createPost(as(author), draft({ text: 'hello', ...input }))).value.id
async function newsOf(who: Id): Promise<string[]> {
  const { items } = await listNotifications(as(who), { limit: 50 })
  return items.map(({ kind, actor, post: about, unread }) => `${kind} ${actor.id} ${about?.id}${unread ? '' : ' read'}`)
}
const unread = async (who: Id) => (await countUnread(as(who))).count
const kept = (who: Id) => count(`SELECT count(*) n FROM notifications WHERE account_id = ${Number(who)}`)

test('a follow, a like, a comment and a mention are each told once, newest first', async () => {
  const mine = await post(ada)
  await followAccount(as(bob), { accountId: ada })
  await held.deliver()
  await likePost(as(bob), { postId: mine })
  await held.deliver()
  const comment = await post(bob, { parentId: mine, text: `for you, @${handle}` })
  await held.deliver()
  const mention = await post(cyd, { text: `@${handle} and @${handle.toUpperCase()}` })
  await held.deliver()
  expect(await newsOf(ada)).toEqual([
    `mention ${cyd} ${mention}`,
    `comment ${bob} ${comment}`,
    `like ${bob} ${mine}`,
    `follow ${bob} undefined`,
  ])
  expect([await unread(ada), await unread(bob), await newsOf(bob)]).toEqual([4, 0, []])
})

test('the same event delivered ten times and shuffled makes one notification and one frame', async () => {
  const socket = await openSocket(ada)
  const mine = await post(ada)
  await held.deliver()
  await socket.takeFrames()
  await followAccount(as(bob), { accountId: ada })
  await likePost(as(bob), { postId: mine })
  const comment = await post(cyd, { parentId: mine, text: `@${handle}` })
  await held.deliver({ times: 10 })
  expect((await newsOf(ada)).sort()).toEqual([
    `comment ${cyd} ${comment}`,
    `follow ${bob} undefined`,
    `like ${bob} ${mine}`,
  ])
  const frames = await socket.takeFrames()
  expect(frames.map(({ channel, data }) => `${channel} ${(data as { kind: string }).kind}`).sort()).toEqual([
    'notifications comment',
    'notifications follow',
    'notifications like',
  ])
  expect(frames.every(({ data }) => Object.keys(data as object).join() === 'id,kind')).toBe(true)
})

test('what somebody did to their own, may not be seen, or was done by or to a blocked account is not told', async () => {
  const mine = await post(ada)
  await likePost(as(ada), { postId: mine })
  await post(ada, { parentId: mine, text: `@${handle}` })
  await post(bob, { visibility: 'followers', text: `@${handle}` })
  await held.deliver()
  expect([await newsOf(ada), await kept(ada)]).toEqual([[], 0])

  // The like and the comment were there before the block, their events come after it.
  await likePost(as(bob), { postId: mine })
  await post(bob, { parentId: mine })
  await held.afterwards({ run: true })
  const late = held.sent.splice(0)
  await blockAccount(as(ada), { accountId: bob })
  held.sent.push(...late)
  await held.deliver()
  expect([await newsOf(ada), await kept(ada), await unread(ada)]).toEqual([[], 0, 0])
})

test('a notification hides with its actor and its post, in the list and in the count alike', async () => {
  const mine = await post(ada)
  await likePost(as(bob), { postId: mine })
  await followAccount(as(cyd), { accountId: ada })
  const comment = await post(cyd, { parentId: mine })
  await held.deliver()
  const both = async () => [(await newsOf(ada)).length, await unread(ada)]
  expect(await both()).toEqual([3, 3])
  await deletePost(as(cyd), { postId: comment })
  expect(await both()).toEqual([2, 2])
  await suspendAccount(moderating(as(ada)), { accountId: cyd })
  expect(await both()).toEqual([1, 1])
  await blockAccount(as(ada), { accountId: bob })
  expect(await both()).toEqual([0, 0])
  await held.deliver()
  await unblockAccount(as(ada), { accountId: bob })
  expect(await both()).toEqual([1, 1])
})

test('reading marks what has arrived, and nothing that comes later, however old it is', async () => {
  const mine = await post(ada)
  await likePost(as(bob), { postId: mine })
  await held.afterwards({ run: true })
  const late = held.sent.splice(0)
  await followAccount(as(cyd), { accountId: ada })
  await held.deliver()
  await markRead(as(ada))
  expect([await unread(ada), await newsOf(ada)]).toEqual([0, [`follow ${cyd} undefined read`]])
  const clock = Date.now()
  await vi.waitUntil(() => Date.now() > clock)
  held.sent.push(...late)
  await held.deliver()
  expect([await unread(ada), await newsOf(ada)]).toEqual([1, [`follow ${cyd} undefined read`, `like ${bob} ${mine}`]])
})

test('a like or a follow that is taken back and given again is told once, to each and of each', async () => {
  const [mine, another] = [await post(ada), await post(ada)]
  await held.deliver()
  const socket = await openSocket(ada)
  for (let again = 0; again < 3; again++) {
    for (const act of [likePost, likePost, unlikePost, unlikePost, likePost]) await act(as(bob), { postId: mine })
    for (const act of [followAccount, unfollowAccount, followAccount]) await act(as(bob), { accountId: ada })
    await held.deliver()
  }
  const frames = await socket.takeFrames()
  expect(frames.map(({ data }) => (data as { kind: string }).kind).sort()).toEqual(['follow', 'like'])
  await likePost(as(cyd), { postId: mine })
  await likePost(as(bob), { postId: another })
  await followAccount(as(bob), { accountId: cyd })
  await held.deliver()
  expect([(await newsOf(ada)).length, await kept(ada), await kept(cyd)]).toEqual([4, 4, 1])
})

test('the hub of somebody who is away is not woken, and that of somebody who is there is', async () => {
  const mine = await post(ada)
  await held.deliver()
  const told = notificationSubscriptions.find(({ event }) => event.type === 'post.liked')!
  const callsFor = async (actorId: Id) => {
    const ctx = held.context()
    await told.handle(ctx, { postId: mine, authorId: ada, actorId }, (await post(actorId)) as Id)
    return ctx.cost.objectCalls
  }
  expect(await callsFor(bob)).toBe(0)
  const socket = await openSocket(ada)
  expect(await callsFor(cyd)).toBe(1)
  expect([(await socket.takeFrames()).length, await kept(ada)]).toEqual([1, 2])
})

test('a hub that does not answer keeps the others from nothing', async () => {
  const { id } = (await createPost(as(ada), draft({ text: `hello ${handles.map((it) => `@${it}`).join(' ')}` }))).value
  await held.afterwards({ run: false })
  await insertRows(shards[shardOf(bob)]!, 'presence', [{ account_id: Number(bob) }])
  const ctx = held.context()
  const HUB = {
    getByName: (name: string) => ({ publish: () => (name === bob ? Promise.reject(new Error('down')) : null) }),
  }
  ctx.env = { ...ctx.env, HUB } as unknown as typeof ctx.env
  const told = notificationSubscriptions.find(({ event }) => event.type === 'post.published')!
  await expect(told.handle(ctx, { postId: id, authorId: ada }, id)).rejects.toThrow('down')
  expect([await kept(bob), await kept(cyd)]).toEqual([1, 1])
})

test('what arrives while the clock runs behind the last reading is unread all the same', async () => {
  await shards[0]!
    .prepare('update accounts set notifications_read_at = ? where id = ?')
    .bind(Date.now() + 5_000, Number(ada))
    .run()
  const readAt = () => count(`select notifications_read_at n from accounts where id = ${Number(ada)}`, [shards[0]!])
  const before = await readAt()
  await markRead(as(ada))
  expect(await readAt()).toBe(before)
  await followAccount(as(bob), { accountId: ada })
  await held.deliver()
  expect(await unread(ada)).toBe(1)
})

test('the count stops at a hundred', async () => {
  const mine = await post(bob)
  const rows = Array.from({ length: 130 }, (_, i) => ({
    account_id: Number(ada),
    id: 1_000_000 + i,
    kind: 'mention',
    actor_id: Number(bob),
    post_id: Number(mine),
    arrived_at: 1,
  }))
  await insertRows(shards[0]!, 'notifications', rows)
  expect(await unread(ada)).toBe(100)
  await markRead(as(ada))
  expect(await unread(ada)).toBe(0)
})
