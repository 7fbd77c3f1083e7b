import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import type { Ctx } from '../../../src/platform/context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import type { Page, PageQuery } from '../../../src/platform/data/page.ts'
import { blockAccount, listBlocks, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, listFollowers, listFollowing, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { accountsOn, bulkIds } from '../../support/actors.ts'
import { movableClock } from '../../support/clock.ts'
import { insertRows, shards } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { asAnonymous, asUser, idsOf, wholePage } from '../../support/viewers.ts'

// Ada is on shard 0, the others are on both shards. The order of `others`, in which they act, is neither that of their
// ids nor the reverse.

const clock = movableClock()
let ada: Id
let others: Id[]
beforeEach(async () => {
  await queues.deliver()
  ;[ada] = await accountsOn(0)
  const ids = (await bulkIds(6)).sort()
  others = [2, 0, 5, 1, 4, 3].map((i) => ids[i]!)
})

type List = (query: PageQuery) => Promise<Page<{ id: Id }>>
const followers: List = (query) => listFollowers(asAnonymous(), { accountId: ada, ...query })
const following: List = (query) => listFollowing(asAnonymous(), { accountId: ada, ...query })
const blocked: List = (query) => listBlocks(asUser(ada), query)

/** Acts 20 ms after the previous call, so that ids are in the order of the calls: their times are precise to 10 ms. */
async function later(
  act: (ctx: Ctx & { viewer: NonNullable<Ctx['viewer']> }, target: { accountId: Id }) => unknown,
  by: Id,
  accountId: Id,
) {
  clock.advance(20)
  await act(asUser(by), { accountId })
}

async function walk(list: List): Promise<{ forwards: Id[]; backwards: Id[] }> {
  let page = await list({ limit: 2 })
  const forwards = idsOf(page)
  while (page.nextCursor) {
    page = await list({ limit: 2, cursor: page.nextCursor })
    forwards.push(...idsOf(page))
  }
  const backwards = idsOf(page)
  for (let before = page; before.items.length > 0; backwards.unshift(...idsOf(before)))
    before = await list({ limit: 2, cursor: before.previousCursor! })
  return { forwards, backwards }
}

test.each([
  ['followers', followers, (other: Id) => later(followAccount, other, ada)],
  ['following', following, (other: Id) => later(followAccount, ada, other)],
  ['blocks', blocked, (other: Id) => later(blockAccount, ada, other)],
] as const)('%s of both shards are listed newest first, whatever the age of the accounts', async (_, list, relate) => {
  for (const other of others) await relate(other)
  await queues.deliver()
  const newestFirst = others.toReversed()
  expect(await walk(list)).toEqual({ forwards: newestFirst, backwards: newestFirst })
})

test('repeating a follow or block keeps its place in the list, and renewing it moves it to the front', async () => {
  for (const other of others)
    for (const [by, accountId] of [
      [ada, other],
      [other, ada],
    ] as const)
      await later(followAccount, by, accountId)
  await queues.deliver()
  const [first, second] = others as [Id, Id]
  for (const [by, accountId] of [
    [ada, first],
    [first, ada],
  ] as const)
    await later(followAccount, by, accountId)
  await queues.deliver()
  for (const list of [followers, following]) expect(idsOf(await list(wholePage))).toEqual(others.toReversed())
  for (const act of [unfollowAccount, followAccount])
    for (const [by, accountId] of [
      [ada, second],
      [second, ada],
    ] as const)
      await later(act, by, accountId)
  await queues.deliver()
  const moved = [second, ...others.toReversed().filter((id) => id !== second)]
  for (const list of [followers, following]) expect(idsOf(await list(wholePage))).toEqual(moved)

  for (const other of others) await later(blockAccount, ada, other)
  await later(blockAccount, ada, first)
  expect(idsOf(await blocked(wholePage))).toEqual(others.toReversed())
  for (const act of [unblockAccount, blockAccount]) await later(act, ada, second)
  expect(idsOf(await blocked(wholePage))).toEqual(moved)
})

/** A follow, its end and another follow. The event of the end arrives only after the other follow is mirrored. */
const followedAgain = [
  { who: 0, end: false, survives: true, arrives: true },
  { who: 0, end: true, survives: false, arrives: false },
  { who: 0, end: false, survives: true, arrives: false },
]

test('both sides of a follow agree on the order under duplicate, reordered and late events', async () => {
  const Step = fc.record({ who: fc.nat(5), end: fc.boolean(), survives: fc.boolean(), arrives: fc.boolean() })
  const id = async (db: D1Database, table: string, pair: string) =>
    (await db.prepare(`SELECT id FROM ${table} WHERE ${pair}`).first<{ id: number }>())?.id
  await fc.assert(
    fc.asyncProperty(fc.array(Step, { minLength: 4, maxLength: 10, size: 'max' }), async (steps) => {
      for (const { who, end, survives, arrives } of steps) {
        await later(end ? unfollowAccount : followAccount, others[who]!, ada)
        await queues.finishDeferred({ run: survives })
        if (arrives) await queues.deliver({ times: 2 })
      }
      await queues.deliver({ times: 2 })
      for (const other of others) {
        const [source] = await Promise.all(
          shards.map((db) => id(db, 'follows', `follower_id = ${other} AND followee_id = ${ada}`)),
        ).then((found) => found.filter((each) => each !== undefined))
        expect(await id(shards[0], 'followers', `account_id = ${ada} AND follower_id = ${other}`)).toBe(source)
      }
    }),
    { numRuns: 8, unbiased: true, examples: [[followedAgain]] },
  )
})

test('follows that are older than event ids of follows keep their order, even when they are mirrored again', async () => {
  const inOrder = others.toSorted()
  for (const other of inOrder) {
    const [follower_id, account_id] = [Number(other), Number(ada)]
    const row = { follower_id, id: account_id, followee_id: account_id }
    for (const db of shards) await insertRows(db, 'follows', [row])
    await insertRows(shards[0], 'followers', [{ account_id, follower_id, id: follower_id }])
  }
  for (const other of others) await followAccount(asUser(other), { accountId: ada })
  await queues.deliver()
  expect(await walk(followers)).toEqual({ forwards: inOrder.toReversed(), backwards: inOrder.toReversed() })
})
