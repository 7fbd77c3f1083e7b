import { expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { getAccount } from '../../../src/services/accounts/accounts.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, listFollowers, listFollowing, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { shards } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { pendingEvents } from '../../support/outboxes.ts'
import { followCounts, hasFollower, isFollowing } from '../../support/relations.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asAnonymous, asUser, failure, idsOf, wholePage } from '../../support/viewers.ts'

test('a follow is stored and counted on both shards, and following again changes nothing', async () => {
  expect((await followAccount(asUser(bob), { accountId: ada })).relation).toEqual({
    following: true,
    followedBy: false,
    blocking: false,
  })
  await queues.deliver()
  expect([await isFollowing(bob, ada), await hasFollower(ada, bob)]).toEqual([1, 1])
  await followAccount(asUser(bob), { accountId: ada })
  expect(await pendingEvents()).toBe(0)
  await queues.deliver()
  expect([await followCounts(ada), await followCounts(bob)]).toEqual([
    [1, 0],
    [0, 1],
  ])
  const { relation } = await getAccount(asUser(ada), { accountId: bob })
  expect(relation).toMatchObject({ following: false, followedBy: true })
})

test('an unfollow is stored and counted on both shards, and unfollowing again changes nothing', async () => {
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  await unfollowAccount(asUser(bob), { accountId: ada })
  await unfollowAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  expect([await isFollowing(bob, ada), await hasFollower(ada, bob)]).toEqual([0, 0])
  expect([await followCounts(ada), await followCounts(bob)]).toEqual([
    [0, 0],
    [0, 0],
  ])
})

test('concurrent follows by one account count once', async () => {
  await Promise.all(Array.from({ length: 10 }, () => followAccount(asUser(bob), { accountId: ada })))
  expect(await pendingEvents()).toBe(1)
  await queues.deliver({ times: 3 })
  expect([await followCounts(ada), await followCounts(bob)]).toEqual([
    [1, 0],
    [0, 1],
  ])
})

test('an account cannot follow itself, an invisible account or an account that it blocks', async () => {
  const absent = String(Number(ada) - 32_768 * 1_000) as Id
  await blockAccount(asUser(ada), { accountId: bob })
  await expect(followAccount(asUser(cyd), { accountId: cyd })).rejects.toEqual(failure('invalid'))
  await expect(followAccount(asUser(cyd), { accountId: absent })).rejects.toEqual(failure('not_found'))
  await expect(followAccount(asUser(bob), { accountId: ada })).rejects.toEqual(failure('not_found'))
  await queues.deliver()
  await expect(followAccount(asUser(ada), { accountId: bob })).rejects.toEqual(failure('conflict'))
  expect(await pendingEvents()).toBe(0)
})

test('a blocker cannot follow the blocked account, even before the other shard has processed the block', async () => {
  await blockAccount(asUser(ada), { accountId: bob })
  await queues.finishDeferred({ run: false })
  await expect(followAccount(asUser(ada), { accountId: bob })).rejects.toEqual(failure('conflict'))
  expect(await isFollowing(ada, bob)).toBe(0)
  await queues.deliver()
})

test('an account follows at most 5,000 others', async () => {
  const setCount = shards[0].prepare('update accounts set following_count = ? where id = ?')
  await setCount.bind(5_000, Number(ada)).run()
  await expect(followAccount(asUser(ada), { accountId: bob })).rejects.toEqual(failure('conflict'))
  await setCount.bind(4_999, Number(ada)).run()
  expect(await followAccount(asUser(ada), { accountId: bob })).toMatchObject({ relation: { following: true } })
  expect(await followAccount(asUser(ada), { accountId: bob })).toMatchObject({ relation: { following: true } })
  await expect(followAccount(asUser(ada), { accountId: cyd })).rejects.toEqual(failure('conflict'))
})

test('follower and following lists omit accounts hidden from the reader', async () => {
  for (const follower of [bob, cyd]) await followAccount(asUser(follower), { accountId: ada })
  for (const accountId of [bob, cyd]) await followAccount(asUser(ada), { accountId })
  await queues.deliver()
  for (const list of [listFollowers, listFollowing]) {
    expect(idsOf(await list(asAnonymous(), { accountId: ada, ...wholePage })).sort()).toEqual([bob, cyd].sort())
  }
  await blockAccount(asUser(cyd), { accountId: bob })
  for (const list of [listFollowers, listFollowing]) {
    expect(idsOf(await list(asUser(bob), { accountId: ada, ...wholePage }))).toEqual([bob])
    await expect(list(asUser(bob), { accountId: cyd, ...wholePage })).rejects.toEqual(failure('not_found'))
  }
})
