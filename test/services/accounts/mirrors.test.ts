import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount, mirrorBlock, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, mirrorFollow, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { accountsOn } from '../../support/actors.ts'
import { count } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { pauseBatches } from '../../support/pause.ts'
import {
  blockedByFirst,
  blockedBySecond,
  followCounts,
  hasFollower,
  isFollowing,
  knowsOfBlock,
  noRelation,
  relationRows,
} from '../../support/relations.ts'
import { withLaggingReplicas } from '../../support/replica-lag.ts'
import { asUser } from '../../support/viewers.ts'

// Follows and blocks are written on the shard of the account that acts and copied to the shard of the other account.

let ada: Id
let bob: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob] = await accountsOn(0, 1)
})

test('a follow event that is delivered after a block leaves no follower row', async () => {
  await followAccount(asUser(bob), { accountId: ada })
  const [follow] = await queues.delayMessages({ run: false })
  await blockAccount(asUser(ada), { accountId: bob })
  const [block] = await queues.delayMessages({ run: false })
  for (const message of [follow, block, follow]) {
    queues.sent.push(message!)
    await queues.deliver()
    expect(await hasFollower(ada, bob)).toBe(0)
  }
  expect([await isFollowing(bob, ada), await followCounts(ada), await followCounts(bob)]).toEqual([0, [0, 0], [0, 0]])
})

test.each([
  ['the event copies a follow or block to the other shard when the isolate dies before its deferred work', false],
  ['deferred work copies a follow or block to the other shard before any event is delivered', true],
])('%s', async (_, run) => {
  const copies: number[][] = []
  for (const [actor, act, accountId] of [
    [bob, followAccount, ada],
    [bob, unfollowAccount, ada],
    [ada, blockAccount, bob],
    [ada, unblockAccount, bob],
  ] as const) {
    await act(asUser(actor), { accountId })
    await queues.finishDeferred({ run })
    if (!run) await queues.deliver()
    copies.push([await hasFollower(ada, bob), await knowsOfBlock(bob, ada)])
  }
  expect(copies).toEqual([
    [1, 0],
    [0, 0],
    [0, 1],
    [0, 0],
  ])
})

test('follows and blocks are mirrored from the D1 primaries while replicas lag', async () => {
  const ctx = createContext({ env: withLaggingReplicas(queues.env), waitUntil: () => {} })
  await followAccount(asUser(bob), { accountId: ada })
  await queues.finishDeferred({ run: false })
  await mirrorFollow(ctx, { followerId: bob, followeeId: ada })
  expect(await hasFollower(ada, bob)).toBe(1)
  await blockAccount(asUser(ada), { accountId: bob })
  await queues.finishDeferred({ run: false })
  await mirrorBlock(ctx, { accountId: ada, otherId: bob })
  expect([await knowsOfBlock(bob, ada), await isFollowing(bob, ada)]).toEqual([1, 0])
})

test('a block ends a follow for good, even if the block is lifted before the other shard processes it', async () => {
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  await blockAccount(asUser(ada), { accountId: bob })
  await queues.finishDeferred({ run: false })
  await unblockAccount(asUser(ada), { accountId: bob })
  await queues.deliver()
  expect([await isFollowing(bob, ada), await hasFollower(ada, bob)]).toEqual([0, 0])
  expect([await followCounts(ada), await followCounts(bob)]).toEqual([
    [0, 0],
    [0, 0],
  ])
})

test('if a block is mirrored only after it was lifted, follows made since then agree on both shards', async () => {
  await blockAccount(asUser(ada), { accountId: bob })
  const late = await queues.delayMessages({ run: false })
  const paused = pauseBatches(queues.context())
  const mirrored = mirrorBlock(paused.ctx, { accountId: ada, otherId: bob })
  await paused.reached
  await unblockAccount(asUser(ada), { accountId: bob })
  queues.sent.push(...late)
  await queues.deliver()
  await followAccount(asUser(bob), { accountId: ada })
  await followAccount(asUser(ada), { accountId: bob })
  await queues.deliver()
  paused.resume()
  await mirrored
  const isBobFollowing = await isFollowing(bob, ada)
  expect(await hasFollower(ada, bob)).toBe(isBobFollowing)
  expect([await isFollowing(ada, bob), await hasFollower(bob, ada)]).toEqual([1, 1])
  expect([(await followCounts(ada))[0], (await followCounts(bob))[1]]).toEqual([isBobFollowing, isBobFollowing])
})

test('a delayed mirror write of a lifted block keeps the block in the other direction', async () => {
  await blockAccount(asUser(bob), { accountId: ada })
  await blockAccount(asUser(ada), { accountId: bob })
  const late = await queues.delayMessages({ run: false })
  const paused = pauseBatches(queues.context())
  const mirrored = mirrorBlock(paused.ctx, { accountId: ada, otherId: bob })
  await paused.reached
  await unblockAccount(asUser(ada), { accountId: bob })
  await queues.deliver()
  paused.resume()
  await mirrored
  queues.sent.push(...late)
  await queues.deliver({ times: 2 })
  expect(await relationRows(ada, bob)).toEqual([blockedBySecond, blockedBySecond])
})

test('unblocking an account again deletes a stale mirror of the block on the other shard', async () => {
  await blockAccount(asUser(ada), { accountId: bob })
  await queues.deliver({ times: 2 })
  await unblockAccount(asUser(ada), { accountId: bob })
  const late = await queues.delayMessages({ run: false })
  expect((await relationRows(ada, bob))[1]).toEqual(blockedByFirst)
  await unblockAccount(asUser(ada), { accountId: bob })
  await queues.finishDeferred({ run: true })
  expect(await relationRows(ada, bob)).toEqual([noRelation, noRelation])
  queues.sent.push(...late)
  await queues.deliver({ times: 2 })
})

const actions = { follow: followAccount, unfollow: unfollowAccount, block: blockAccount, unblock: unblockAccount }
type Action = keyof typeof actions
type Step = [action: Action, isReverse: boolean, survives: boolean, arrives: boolean]

const blockLiftedBeforeDelivery: Step[] = [
  ['follow', false, false, true],
  ['block', false, false, false],
  ['unblock', false, false, false],
]

async function expectConsistent(one: Id, other: Id): Promise<void> {
  const [a, b] = [Number(one), Number(other)]
  const follows = await isFollowing(one, other)
  expect(await hasFollower(other, one)).toBe(follows)
  const blocksBetween = (accountId: number, otherId: number, byMe: number) =>
    count(`SELECT count(*) n FROM blocks WHERE account_id = ${accountId} AND other_id = ${otherId} AND by_me = ${byMe}`)
  const blocks = await blocksBetween(a, b, 1)
  expect(await blocksBetween(b, a, 0)).toBe(blocks)
  if (blocks > 0) expect(follows + (await isFollowing(other, one))).toBe(0)
  expect(await count(`SELECT coalesce(sum(following_count), 0) n FROM accounts WHERE id = ${a}`)).toBe(follows)
  expect(await count(`SELECT coalesce(sum(follower_count), 0) n FROM accounts WHERE id = ${b}`)).toBe(follows)
}

test('mirrors converge with their sources under reordered, repeated and late events and lost deferred work', async () => {
  const Step = fc.tuple(
    fc.constantFrom<Action>('follow', 'unfollow', 'block', 'unblock'),
    fc.boolean(),
    fc.boolean(),
    fc.boolean(),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(Step, { minLength: 4, maxLength: 10, size: 'max' }), async (steps) => {
      const [a, b] = await accountsOn(0, 1)
      for (const [action, isReverse, survives, arrives] of steps) {
        const [actor, accountId] = isReverse ? [b, a] : [a, b]
        await actions[action](asUser(actor), { accountId }).catch(() => {})
        await queues.finishDeferred({ run: survives })
        if (arrives) await queues.deliver()
      }
      await queues.deliver({ times: 2 })
      await expectConsistent(a, b)
      await expectConsistent(b, a)
    }),
    { numRuns: 30, unbiased: true, examples: [[blockLiftedBeforeDelivery]] },
  )
}, 90_000)
