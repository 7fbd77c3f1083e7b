import { beforeEach, expect, test } from 'vitest'
import { type Id, newId } from '../../../src/platform/data/ids.ts'
import { getAccount } from '../../../src/services/accounts/accounts.ts'
import { blockAccount, listBlocks, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { liftSuspension, suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { accountFeed } from '../../../src/services/feed/feeds.ts'
import { getPost } from '../../../src/services/posts/posts.ts'
import { accountsOn } from '../../support/actors.ts'
import { countRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { pendingEvents } from '../../support/outboxes.ts'
import {
  blockedByBoth,
  blockedByFirst,
  blockedBySecond,
  countedFollows,
  followCounts,
  hasFollower,
  isFollowing,
  knowsOfBlock,
  noRelation,
  relationRows,
} from '../../support/relations.ts'
import { seedPosts } from '../../support/seed.ts'
import { asModerator, asUser, failure, idsOf, wholePage } from '../../support/viewers.ts'

// Block, unblock and unfollow never read the other account, so they do not reveal whether it exists.

const DAY_MS = 86_400_000

// Ada and her neighbour are on one shard, Bob is on the other.
let ada: Id
let bob: Id
let neighbour: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob, neighbour] = await accountsOn(0, 1, 0)
})

async function deliverAll(): Promise<void> {
  await queues.deliver({ times: 2 })
  expect(await pendingEvents()).toBe(0)
}

test('a block deletes follows both ways, on the blocker’s shard at once and on the other shard by event', async () => {
  await followAccount(asUser(bob), { accountId: ada })
  await followAccount(asUser(ada), { accountId: bob })
  await queues.deliver()
  await blockAccount(asUser(ada), { accountId: bob })
  expect([await hasFollower(ada, bob), await isFollowing(ada, bob)]).toEqual([0, 0])
  expect(await followCounts(ada)).toEqual([0, 0])
  await blockAccount(asUser(ada), { accountId: bob })
  expect(await pendingEvents()).toBe(1)
  await queues.deliver({ times: 3 })
  expect([await hasFollower(bob, ada), await isFollowing(bob, ada)]).toEqual([0, 0])
  expect(await followCounts(bob)).toEqual([0, 0])

  await unblockAccount(asUser(ada), { accountId: bob })
  await queues.deliver()
  expect((await getAccount(asUser(bob), { accountId: ada })).relation).toEqual({
    following: false,
    followedBy: false,
    blocking: false,
  })
  expect([await knowsOfBlock(ada, bob), await knowsOfBlock(bob, ada)]).toEqual([0, 0])
})

test('block, unblock and unfollow succeed alike for visible, hidden, suspended and missing accounts', async () => {
  const [hidden, suspended] = await accountsOn(0, 1)
  await blockAccount(asUser(hidden), { accountId: ada })
  await suspendAccount(asModerator(bob), { accountId: suspended })
  const others = [bob, hidden, suspended, newId(0, Date.now() - DAY_MS), newId(1, Date.now() + DAY_MS)]
  await deliverAll()
  for (const accountId of others) {
    for (const act of [unfollowAccount, unblockAccount, blockAccount]) {
      expect(await act(asUser(ada), { accountId })).toBeUndefined()
    }
  }
  await deliverAll()
  const blocksOf = await Promise.all(others.map((other) => countRows('blocks', { other_id: other })))
  expect(blocksOf).toEqual([1, 2, 1, 1, 1])
})

test('blocking and then unblocking a missing account leaves no rows', async () => {
  for (const accountId of [newId(0, Date.now() - DAY_MS), newId(1, Date.now() - DAY_MS)]) {
    await blockAccount(asUser(ada), { accountId })
    expect(await pendingEvents()).toBe(1)
    await deliverAll()
    expect((await relationRows(ada, accountId)).flat().reduce((sum, rows) => sum + rows, 0)).toBe(2)
    await unblockAccount(asUser(ada), { accountId })
    await unfollowAccount(asUser(ada), { accountId })
    await deliverAll()
    expect(await relationRows(ada, accountId)).toEqual([noRelation, noRelation])
  }
  expect(await countedFollows(ada)).toBe(0)
})

test('an account cannot block, unblock or unfollow itself or an id of a shard that does not exist', async () => {
  const elsewhere = newId(63, Date.now())
  for (const act of [blockAccount, unblockAccount, unfollowAccount]) {
    await expect(act(asUser(ada), { accountId: ada })).rejects.toEqual(failure('invalid'))
    await expect(act(asUser(ada), { accountId: elsewhere })).rejects.toEqual(failure('not_found'))
  }
  expect([await pendingEvents(), await countRows('blocks', { account_id: ada })]).toEqual([0, 0])
  expect(await isFollowing(ada, ada)).toBe(1)
})

test('two accounts that block each other at once can both unblock, in either order', async () => {
  for (const [first, second] of [
    [ada, bob],
    [bob, ada],
  ] as const) {
    await Promise.all([
      blockAccount(asUser(ada), { accountId: bob }),
      blockAccount(asUser(bob), { accountId: ada }),
      blockAccount(asUser(ada), { accountId: bob }),
    ])
    expect(await pendingEvents()).toBe(2)
    await deliverAll()
    expect(await relationRows(first, second)).toEqual([blockedByBoth, blockedByBoth])
    await unblockAccount(asUser(first), { accountId: second })
    await deliverAll()
    expect(await relationRows(first, second)).toEqual([blockedBySecond, blockedBySecond])
    await expect(getAccount(asUser(first), { accountId: second })).rejects.toEqual(failure('not_found'))
    await unblockAccount(asUser(second), { accountId: first })
    await deliverAll()
    expect(await relationRows(first, second)).toEqual([noRelation, noRelation])
  }
  expect((await getAccount(asUser(ada), { accountId: bob })).relation).toMatchObject({ blocking: false })
})

test('when two accounts on one shard block each other, an unblock by one keeps the block by the other', async () => {
  await Promise.all([
    blockAccount(asUser(ada), { accountId: neighbour }),
    blockAccount(asUser(neighbour), { accountId: ada }),
  ])
  await deliverAll()
  expect(await relationRows(ada, neighbour)).toEqual([[0, 0, 2, 2], noRelation])
  await unblockAccount(asUser(ada), { accountId: neighbour })
  await deliverAll()
  expect(await relationRows(ada, neighbour)).toEqual([[0, 0, 0, 2], noRelation])
})

test('after a mutual block, the account that unblocks still cannot see or follow the other account', async () => {
  const [postId] = (await seedPosts([bob])) as [Id]
  await followAccount(asUser(ada), { accountId: bob })
  await followAccount(asUser(bob), { accountId: ada })
  await deliverAll()
  await blockAccount(asUser(ada), { accountId: bob })
  await deliverAll()
  await blockAccount(asUser(bob), { accountId: ada })
  await unblockAccount(asUser(ada), { accountId: bob })
  const requests = [
    () => getAccount(asUser(ada), { accountId: bob }),
    () => getPost(asUser(ada), { postId }),
    () => accountFeed(asUser(ada), { accountId: bob, ...wholePage }),
    () => followAccount(asUser(ada), { accountId: bob }),
  ]
  for (const request of requests) await expect(request()).rejects.toEqual(failure('not_found'))
  await deliverAll()
  for (const request of requests) await expect(request()).rejects.toEqual(failure('not_found'))
  expect(await relationRows(ada, bob)).toEqual([blockedBySecond, blockedBySecond])
  await expect(followAccount(asUser(bob), { accountId: ada })).rejects.toEqual(failure('conflict'))
  expect(await countedFollows(ada, bob)).toBe(0)
})

test('a suspended account can be unfollowed, and lacks that follower after the suspension is lifted', async () => {
  await followAccount(asUser(ada), { accountId: bob })
  await queues.deliver()
  await suspendAccount(asModerator(neighbour), { accountId: bob })
  await deliverAll()
  await unfollowAccount(asUser(ada), { accountId: bob })
  await unfollowAccount(asUser(ada), { accountId: bob })
  expect(await pendingEvents()).toBe(1)
  await deliverAll()
  expect(await relationRows(ada, bob)).toEqual([noRelation, noRelation])
  await liftSuspension(asModerator(neighbour), { accountId: bob })
  await deliverAll()
  const returned = await getAccount(asUser(ada), { accountId: bob })
  expect(returned).toMatchObject({ followerCount: 0, relation: { following: false } })
  expect((await getAccount(asUser(ada), { accountId: ada })).followingCount).toBe(0)
})

test('a suspended account can be blocked and unblocked, and repeating either changes nothing', async () => {
  await followAccount(asUser(bob), { accountId: ada })
  await suspendAccount(asModerator(neighbour), { accountId: bob })
  await deliverAll()
  for (const [act, events, relation] of [
    [blockAccount, 1, blockedByFirst],
    [blockAccount, 0, blockedByFirst],
    [unblockAccount, 1, noRelation],
    [unblockAccount, 0, noRelation],
  ] as const) {
    await act(asUser(ada), { accountId: bob })
    expect(await pendingEvents()).toBe(events)
    await deliverAll()
    expect([await relationRows(ada, bob), await countedFollows(ada, bob)]).toEqual([[relation, relation], 0])
  }
})

test('the block list shows hidden accounts by id alone and omits accounts that only block the viewer', async () => {
  const [suspended, blocker] = await accountsOn(0, 1)
  const missing = newId(1, Date.now())
  for (const accountId of [bob, suspended, neighbour, missing]) await blockAccount(asUser(ada), { accountId })
  await blockAccount(asUser(bob), { accountId: ada })
  await blockAccount(asUser(blocker), { accountId: ada })
  await suspendAccount(asModerator(neighbour), { accountId: suspended })
  await queues.deliver()
  const blocks = await listBlocks(asUser(ada), wholePage)
  expect(idsOf(blocks)).toEqual([missing, neighbour, suspended, bob])
  expect(blocks.items.flatMap(({ account }) => account?.id ?? [])).toEqual([neighbour])
  await unblockAccount(asUser(ada), { accountId: bob })
  expect(idsOf(await listBlocks(asUser(ada), wholePage))).not.toContain(bob)
})
