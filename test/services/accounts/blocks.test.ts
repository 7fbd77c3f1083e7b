import { beforeEach, expect, test } from 'vitest'
import { asViewer, type UserCtx } from '../../../src/platform/context.ts'
import { type Id, newId } from '../../../src/platform/data/ids.ts'
import { getAccount } from '../../../src/services/accounts/accounts.ts'
import { blockAccount, listBlocks, mirrorBlock, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { liftSuspension, suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { accountFeed } from '../../../src/services/feed/feeds.ts'
import { getPost } from '../../../src/services/posts/posts.ts'
import { heldBack } from '../../support/held.ts'
import { pausing } from '../../support/pausing.ts'
import { seedPeople, seedPosts } from '../../support/rows.ts'
import { count, moderating, shards } from '../../support/town.ts'

// What is said of one's own list alone: block, unblock, unfollow. None of them looks at the account it names.

const held = heldBack()
const as = (id: Id): UserCtx => asViewer(held.context(), id)
const code = (code: string) => expect.objectContaining({ code })
const own = { block: blockAccount, unblock: unblockAccount, unfollow: unfollowAccount }

let ada: Id
let bob: Id
let neighbour: Id
beforeEach(async () => {
  await held.deliver()
  const people = await seedPeople(`b${crypto.randomUUID().slice(0, 8)}_`, 3, (i) => i % 2)
  ;[ada, bob, neighbour] = people.map(({ id }) => id) as [Id, Id, Id]
})

const events = () => count('SELECT count(*) n FROM outbox')

/** How many rows there are between two, on each shard: follows, followers, and blocks by the first and of the first. */
async function between(one: Id, other: Id): Promise<number[][]> {
  const [a, b] = [Number(one), Number(other)]
  const where = [
    `follows WHERE follower_id IN (${a}, ${b}) AND followee_id IN (${a}, ${b}) AND follower_id != followee_id`,
    `followers WHERE account_id IN (${a}, ${b}) AND follower_id IN (${a}, ${b})`,
    `blocks WHERE (account_id, other_id, by_me) IN (VALUES (${a}, ${b}, 1), (${b}, ${a}, 0))`,
    `blocks WHERE (account_id, other_id, by_me) IN (VALUES (${b}, ${a}, 1), (${a}, ${b}, 0))`,
  ]
  const each = async (db: D1Database) => Promise.all(where.map((it) => count(`SELECT count(*) n FROM ${it}`, [db])))
  return Promise.all(shards.map(each))
}
const none = [0, 0, 0, 0]
const byFirst = [0, 0, 1, 0]
const bySecond = [0, 0, 0, 1]
const byBoth = [0, 0, 1, 1]

/** The sum of all that is counted of the two. */
const counted = (...ids: Id[]) =>
  count(`SELECT coalesce(sum(follower_count + following_count), 0) n FROM accounts WHERE id IN (${ids})`)

async function settle(): Promise<void> {
  await held.deliver({ times: 2 })
  expect(await events()).toBe(0)
}

test('each is answered with nothing, whether the account can be seen, is hidden or suspended, or never was', async () => {
  const [hidden, suspended] = await seedPeople(`h${crypto.randomUUID().slice(0, 8)}_`, 2, (i) => i)
  await blockAccount(as(hidden!.id), { accountId: ada })
  await suspendAccount(moderating(as(bob)), { accountId: suspended!.id })
  const others = [bob, hidden!.id, suspended!.id, newId(0, Date.now() - 86_400_000), newId(1, Date.now() + 86_400_000)]
  await settle()
  for (const accountId of others) {
    for (const act of [unfollowAccount, unblockAccount, blockAccount]) {
      expect(await act(as(ada), { accountId })).toBeUndefined()
    }
  }
  await settle()
  const theirs = await Promise.all(
    others.map((other) => count(`SELECT count(*) n FROM blocks WHERE other_id = ${other}`)),
  )
  expect(theirs).toEqual([1, 2, 1, 1, 1])
})

test('a block of an account that never was leaves nothing behind once it is taken back', async () => {
  for (const accountId of [newId(0, Date.now() - 86_400_000), newId(1, Date.now() - 86_400_000)]) {
    await blockAccount(as(ada), { accountId })
    expect(await events()).toBe(1)
    await settle()
    expect((await between(ada, accountId)).flat().reduce((sum, n) => sum + n)).toBe(2)
    await unblockAccount(as(ada), { accountId })
    await unfollowAccount(as(ada), { accountId })
    await settle()
    expect(await between(ada, accountId)).toEqual([none, none])
  }
  expect(await counted(ada)).toBe(0)
})

test('nobody blocks, unblocks or unfollows themselves, or an id of a shard that there is not', async () => {
  const elsewhere = newId(63, Date.now())
  for (const act of Object.values(own)) {
    await expect(act(as(ada), { accountId: ada })).rejects.toEqual(code('invalid'))
    await expect(act(as(ada), { accountId: elsewhere })).rejects.toEqual(code('not_found'))
  }
  expect([await events(), await count(`SELECT count(*) n FROM blocks WHERE account_id = ${ada}`)]).toEqual([0, 0])
  expect(await count(`SELECT count(*) n FROM follows WHERE follower_id = ${ada} AND followee_id = ${ada}`)).toBe(1)
})

test('two who block each other at the same moment can both take it back, in either order', async () => {
  for (const [first, second] of [
    [ada, bob],
    [bob, ada],
  ] as const) {
    await Promise.all([
      blockAccount(as(ada), { accountId: bob }),
      blockAccount(as(bob), { accountId: ada }),
      blockAccount(as(ada), { accountId: bob }),
    ])
    expect(await events()).toBe(2)
    await settle()
    expect(await between(first, second)).toEqual([byBoth, byBoth])
    await unblockAccount(as(first), { accountId: second })
    await settle()
    expect(await between(first, second)).toEqual([bySecond, bySecond])
    await expect(getAccount(as(first), { accountId: second })).rejects.toEqual(code('not_found'))
    await unblockAccount(as(second), { accountId: first })
    await settle()
    expect(await between(first, second)).toEqual([none, none])
  }
  expect((await getAccount(as(ada), { accountId: bob })).relation).toMatchObject({ blocking: false })
})

test('two of one shard who block each other keep a block of their own each', async () => {
  await Promise.all([blockAccount(as(ada), { accountId: neighbour }), blockAccount(as(neighbour), { accountId: ada })])
  await settle()
  expect(await between(ada, neighbour)).toEqual([[0, 0, 2, 2], none])
  await unblockAccount(as(ada), { accountId: neighbour })
  await settle()
  expect(await between(ada, neighbour)).toEqual([[0, 0, 0, 2], none])
})

test('who blocks back stays out of sight when the other lifts theirs', async () => {
  const [post] = (await seedPosts([bob])) as [Id]
  await followAccount(as(ada), { accountId: bob })
  await followAccount(as(bob), { accountId: ada })
  await settle()
  await blockAccount(as(ada), { accountId: bob })
  await settle()
  await blockAccount(as(bob), { accountId: ada })
  await unblockAccount(as(ada), { accountId: bob })
  const looks = [
    () => getAccount(as(ada), { accountId: bob }),
    () => getPost(as(ada), { postId: post }),
    () => accountFeed(as(ada), { accountId: bob, limit: 50 }),
    () => followAccount(as(ada), { accountId: bob }),
  ]
  for (const ready of [async () => {}, settle]) {
    await ready()
    for (const look of looks) await expect(look()).rejects.toEqual(code('not_found'))
  }
  expect(await between(ada, bob)).toEqual([bySecond, bySecond])
  await expect(followAccount(as(bob), { accountId: ada })).rejects.toEqual(code('conflict'))
  expect(await counted(ada, bob)).toBe(0)
})

test('of two who block each other, what one takes back while the mirror is late leaves the block of the other', async () => {
  await blockAccount(as(bob), { accountId: ada })
  await blockAccount(as(ada), { accountId: bob })
  await held.afterwards({ run: false })
  const late = held.sent.splice(0)
  const paused = pausing(held.context())
  const mirrored = mirrorBlock(paused.ctx, { accountId: ada, otherId: bob })
  await paused.reached
  await unblockAccount(as(ada), { accountId: bob })
  await held.deliver()
  paused.goOn()
  await mirrored
  held.sent.push(...late)
  await settle()
  expect(await between(ada, bob)).toEqual([bySecond, bySecond])
})

test('who was suspended can be unfollowed, and comes back without that follower', async () => {
  await followAccount(as(ada), { accountId: bob })
  await held.deliver()
  await suspendAccount(moderating(as(neighbour)), { accountId: bob })
  await settle()
  await unfollowAccount(as(ada), { accountId: bob })
  await unfollowAccount(as(ada), { accountId: bob })
  expect(await events()).toBe(1)
  await settle()
  expect(await between(ada, bob)).toEqual([none, none])
  await liftSuspension(moderating(as(neighbour)), { accountId: bob })
  await settle()
  expect(await getAccount(as(ada), { accountId: bob })).toMatchObject({
    followerCount: 0,
    relation: { following: false },
  })
  expect((await getAccount(as(ada), { accountId: ada })).followingCount).toBe(0)
})

test('who is suspended can be blocked and unblocked; doing it again changes nothing', async () => {
  await followAccount(as(bob), { accountId: ada })
  await suspendAccount(moderating(as(neighbour)), { accountId: bob })
  await settle()
  for (const [act, told, left] of [
    [blockAccount, 1, byFirst],
    [blockAccount, 0, byFirst],
    [unblockAccount, 1, none],
    [unblockAccount, 0, none],
  ] as const) {
    await act(as(ada), { accountId: bob })
    expect(await events()).toBe(told)
    await settle()
    expect([await between(ada, bob), await counted(ada, bob)]).toEqual([[left, left], 0])
  }
})

test('taking back a block that is gone mends a copy of it that was left behind', async () => {
  await blockAccount(as(ada), { accountId: bob })
  await settle()
  await unblockAccount(as(ada), { accountId: bob })
  await held.afterwards({ run: false })
  const late = held.sent.splice(0)
  expect((await between(ada, bob))[1]).toEqual(byFirst)
  await unblockAccount(as(ada), { accountId: bob })
  await held.afterwards({ run: true })
  expect(await between(ada, bob)).toEqual([none, none])
  held.sent.push(...late)
  await settle()
})

test('the list of one’s blocks has those who are hidden by their ids, and nobody who only blocks one', async () => {
  const [suspended, blocker] = (await seedPeople(`l${crypto.randomUUID().slice(0, 8)}_`, 2, (i) => i)).map(
    ({ id }) => id,
  )
  const nobody = newId(1, Date.now())
  for (const id of [bob, suspended!, neighbour, nobody]) await blockAccount(as(ada), { accountId: id })
  await blockAccount(as(bob), { accountId: ada })
  await blockAccount(as(blocker!), { accountId: ada })
  await suspendAccount(moderating(as(neighbour)), { accountId: suspended! })
  await held.deliver()
  const { items } = await listBlocks(as(ada), { limit: 50 })
  expect(items.map(({ id }) => id)).toEqual([nobody, suspended, neighbour, bob].sort((a, b) => Number(b) - Number(a)))
  expect(items.flatMap(({ account }) => account?.id ?? [])).toEqual([neighbour])
  await unblockAccount(as(ada), { accountId: bob })
  expect((await listBlocks(as(ada), { limit: 50 })).items.map(({ id }) => id)).not.toContain(bob)
})
