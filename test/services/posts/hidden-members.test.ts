import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import type { Ctx } from '../../../src/platform/context.ts'
import { createContext } from '../../../src/platform/create-context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { getAccount } from '../../../src/services/accounts/accounts.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, listFollowers, listFollowing, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { markFollows } from '../../../src/services/accounts/hiding.ts'
import { liftSuspension, suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { countUnread, listNotifications } from '../../../src/services/notifications/notifications.ts'
import { listComments } from '../../../src/services/posts/comments.ts'
import { markLikes, markLists } from '../../../src/services/posts/hiding.ts'
import { likePost, listLikes, unlikePost } from '../../../src/services/posts/likes.ts'
import { deletePost, getPost } from '../../../src/services/posts/posts.ts'
import { accountsOn, markSuspended } from '../../support/actors.ts'
import { queues } from '../../support/manual-queues.ts'
import { pauseBatches } from '../../support/pause.ts'
import { publishedId } from '../../support/posting.ts'
import { withLaggingReplicas } from '../../support/replica-lag.ts'
import { asAnonymous, asModerator, asUser, wholePage } from '../../support/viewers.ts'

// A suspended account is in no list. Events remove it from the counts of these lists, and add it again.

const anEvent = '1' as Id
let ada: Id
let bob: Id
let cyd: Id
let postId: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob, cyd] = await accountsOn(0, 1, 0)
  postId = await publishedId(ada)
  await queues.deliver()
})

const suspend = (accountId: Id) => suspendAccount(asModerator(cyd), { accountId })
const lift = (accountId: Id) => liftSuspension(asModerator(cyd), { accountId })

/** The counts of the post and of Ada, and the lengths of the lists behind them. */
async function countsAndLists(
  post = postId,
  owner = ada,
  ctx: Ctx = asAnonymous(),
): Promise<[counts: number[], lengths: number[]]> {
  const { likeCount, commentCount } = await getPost(ctx, { postId: post })
  const { followerCount, followingCount } = await getAccount(ctx, { accountId: owner })
  const lists = await Promise.all([
    listLikes(ctx, { postId: post, ...wholePage }),
    listComments(ctx, { postId: post, ...wholePage }),
    listFollowers(ctx, { accountId: owner, ...wholePage }),
    listFollowing(ctx, { accountId: owner, ...wholePage }),
  ])
  return [[likeCount, commentCount, followerCount, followingCount], lists.map(({ items }) => items.length)]
}

async function expectCounts(expected: number[], post = postId, owner = ada): Promise<void> {
  expect(await countsAndLists(post, owner)).toEqual([expected, expected])
}

/** The account likes Ada's post, comments on it and replies to that comment. It and Ada follow each other. */
async function takePart(id: Id): Promise<{ comment: Id; reply: Id }> {
  await likePost(asUser(id), { postId })
  const comment = await publishedId(id, { parentId: postId })
  await queues.deliver()
  const reply = await publishedId(id, { parentId: comment })
  await followAccount(asUser(id), { accountId: ada })
  await followAccount(asUser(ada), { accountId: id })
  await queues.deliver()
  return { comment, reply }
}

test('for a viewer, counts exceed their lists by the members that a block hides; for nobody else, and no unread count', async () => {
  await takePart(bob)
  await takePart(cyd)
  const [blocking, blocked] = await accountsOn(0, 1)
  await blockAccount(asUser(blocking), { accountId: bob })
  await blockAccount(asUser(bob), { accountId: blocked })
  await queues.deliver()
  const counts = [2, 4, 2, 2]
  // Lists of accounts hide who blocks the viewer, and lists of posts also whom the viewer blocks.
  expect(await countsAndLists(postId, ada, asUser(blocking))).toEqual([counts, [2, 2, 2, 2]])
  expect(await countsAndLists(postId, ada, asUser(blocked))).toEqual([counts, [1, 2, 1, 1]])
  await expectCounts(counts)
  await blockAccount(asUser(ada), { accountId: bob })
  await queues.deliver()
  const unread = await listNotifications(asUser(ada), wholePage)
  expect(await countUnread(asUser(ada))).toEqual({ count: unread.items.length })
  expect(unread.items.map(({ actor }) => actor.id)).not.toContain(bob)
})

test.each([0, 1])('counts leave out a suspended account of shard %i until the suspension is lifted', async (shard) => {
  const [member] = await accountsOn(shard)
  await takePart(member)
  await takePart(bob)
  await expectCounts([2, 4, 2, 2])
  for (const times of [1, 2]) {
    await suspend(member)
    await queues.deliver({ times })
    await expectCounts([1, 2, 1, 1])
    await lift(member)
    await queues.deliver({ times })
    await expectCounts([2, 4, 2, 2])
  }
})

test('a suspended account is left out of the count of replies to a comment', async () => {
  const comment = await publishedId(cyd, { parentId: postId })
  await queues.deliver()
  for (const author of [ada, bob]) await publishedId(author, { parentId: comment })
  await queues.deliver()
  await suspend(bob)
  await queues.deliver()
  await expectCounts([0, 1, 0, 0], comment)
})

const withdrawals: [string, (of: { comment: Id; reply: Id }) => Promise<unknown>][] = [
  ['unlike', () => unlikePost(asUser(bob), { postId })],
  ['unfollow', () => unfollowAccount(asUser(bob), { accountId: ada })],
  ['unfollowed by', () => unfollowAccount(asUser(ada), { accountId: bob })],
  ['blocked by', () => blockAccount(asUser(ada), { accountId: bob })],
  ['block', () => blockAccount(asUser(bob), { accountId: ada })],
  ['delete', ({ reply }) => deletePost(asUser(bob), { postId: reply })],
]
test.each(withdrawals)(
  'what ends while an account is suspended (%s) is not subtracted twice',
  async (name, withdraw) => {
    const made = await takePart(bob)
    await takePart(cyd)
    await suspend(bob)
    await queues.deliver()
    await withdraw(made)
    await queues.deliver({ times: 2 })
    await expectCounts([1, 2, 1, 1])
    await lift(bob)
    await queues.deliver({ times: 2 })
    const [counts, lengths] = await countsAndLists()
    expect([name, counts]).toEqual([name, lengths])
    expect(counts).not.toEqual([2, 4, 2, 2])
  },
)

test('what an account does before all shards know of its suspension is not counted, whichever event arrives first', async () => {
  await markSuspended(bob)
  const acts: (() => Promise<unknown>)[] = [
    () => likePost(asUser(bob), { postId }),
    () => followAccount(asUser(bob), { accountId: ada }),
  ]
  for (const act of acts) await act()
  await queues.deliver({ times: 2 })
  await expectCounts([0, 0, 0, 0])
  await lift(bob)
  await queues.deliver()
  await expectCounts([1, 0, 1, 0])
})

test('a comment and a follow that are mirrored after the author or the followee was suspended are not counted', async () => {
  await publishedId(bob, { parentId: postId })
  await followAccount(asUser(ada), { accountId: bob })
  const late = await queues.delayMessages({ run: false })
  await suspend(bob)
  await queues.deliver()
  queues.sent.push(...late)
  await queues.deliver()
  await expectCounts([0, 0, 0, 0])
  await lift(bob)
  await queues.deliver()
  await expectCounts([0, 1, 0, 1])
})

test('a mark that is written late agrees with the latest state', async () => {
  await takePart(bob)
  await suspend(bob)
  const paused = pauseBatches(queues.context())
  const marked = markLikes(paused.ctx, bob, [postId])
  await paused.reached
  await lift(bob)
  await queues.deliver()
  paused.resume()
  await marked
  await expectCounts([1, 2, 1, 1])
})

test('marks are decided by the D1 primaries while replicas lag', async () => {
  await takePart(bob)
  await markSuspended(bob)
  const ctx = createContext({ env: withLaggingReplicas(queues.env), waitUntil: () => {} })
  for (const list of ['likes', 'comments'] as const)
    await markLists(ctx, { accountId: bob, list, after: null }, anEvent)
  for (const list of ['following', 'followers'] as const) {
    await markFollows(ctx, { accountId: bob, list, after: null }, anEvent)
  }
  await expectCounts([0, 0, 0, 0])
})

const actions: Record<string, (made: Id[]) => Promise<unknown>> = {
  suspend: () => suspend(bob),
  lift: () => lift(bob),
  like: () => likePost(asUser(bob), { postId }),
  unlike: () => unlikePost(asUser(bob), { postId }),
  follow: () => followAccount(asUser(bob), { accountId: ada }),
  unfollow: () => unfollowAccount(asUser(bob), { accountId: ada }),
  followed: () => followAccount(asUser(ada), { accountId: bob }),
  unfollowed: () => unfollowAccount(asUser(ada), { accountId: bob }),
  comment: async (made) => made.push(await publishedId(bob, { parentId: postId })),
  delete: async (made) => made.length > 0 && deletePost(asUser(bob), { postId: made.pop()! }),
}

test('counts converge with their lists under reordered, repeated and late events of suspensions and actions', async () => {
  const names = Object.keys(actions)
  const Step = fc.record({
    do: fc.constantFrom(...names, 'suspend', 'lift'),
    survives: fc.boolean(),
    arrives: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(Step, { minLength: 6, maxLength: 14, size: 'max' }), async (steps) => {
      ;[ada, bob] = await accountsOn(0, 1)
      postId = await publishedId(ada)
      const made: Id[] = []
      for (const step of steps) {
        await actions[step.do]!(made).catch(() => {})
        await queues.finishDeferred({ run: step.survives })
        if (step.arrives) await queues.deliver({ times: 2 })
      }
      await queues.deliver({ times: 2 })
      const [counts, lengths] = await countsAndLists()
      expect(counts).toEqual(lengths)
      await lift(bob)
      await queues.deliver()
      const [shown, listed] = await countsAndLists()
      expect(shown).toEqual(listed)
    }),
    { numRuns: 12, unbiased: true },
  )
}, 90_000)
