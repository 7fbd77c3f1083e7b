import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { timeOf, toId } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { deleteLikes, mirrorLike } from '../../../src/services/posts/like-mirrors.ts'
import { likePost, listLikes, listMyLikes, unlikePost } from '../../../src/services/posts/likes.ts'
import { deletePost, getPost } from '../../../src/services/posts/posts.ts'
import { accountsOn, bulkIds } from '../../support/actors.ts'
import { costOf, expectWithin, PAGE } from '../../support/budgets.ts'
import { movableClock } from '../../support/clock.ts'
import { countRows, shardHolding } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { pendingEvents } from '../../support/outboxes.ts'
import { pauseBatches } from '../../support/pause.ts'
import { publishedId } from '../../support/posting.ts'
import { withLaggingReplicas } from '../../support/replica-lag.ts'
import { seedLikes, seedPosts } from '../../support/seed.ts'
import { asAnonymous, asModerator, asUser, failure, idsOf, wholePage } from '../../support/viewers.ts'

// A like is stored with its post. The list of the post and the list of the account contain copies of the like. Events
// keep the copies in sync.

const clock = movableClock()
let ada: Id
let bob: Id
let postId: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob] = await accountsOn(0, 1)
  postId = await publishedId(ada)
  await queues.deliver()
})

const likers = async (viewer: Id, post = postId) =>
  idsOf(await listLikes(asUser(viewer), { postId: post, ...wholePage }))
const likedBy = async (viewer: Id) => (await listMyLikes(asUser(viewer), wholePage)).items

/** The id of a like in `likes`, in the list of the post as it is read, and in the list of the account. Empty where there is no row. */
async function likeIds(account: Id, post: Id): Promise<number[][]> {
  const rows = async (table: string, db: D1Database, condition = '') => {
    const found = db.prepare(`SELECT id FROM ${table} WHERE post_id = ? AND account_id = ?${condition}`)
    const { results } = await found.bind(Number(post), Number(account)).all<{ id: number }>()
    return results.map(({ id }) => id)
  }
  const [there, here] = [shardHolding(post), shardHolding(account)]
  const isSorted = ` AND NOT EXISTS (SELECT 1 FROM post_likers WHERE post_id = ${post})`
  const listed = [...(await rows('likes', there, isSorted)), ...(await rows('post_likers', there))]
  return [await rows('likes', there), listed, await rows('liked_posts', here)]
}

async function like(by: Id, post: Id): Promise<void> {
  clock.advance(20)
  await likePost(asUser(by), { postId: post })
}

test('the accounts that like a post are listed newest like first, and their number is the like count', async () => {
  const ids = (await bulkIds(5)).sort()
  const inOrder = [3, 0, 4, 1, 2].map((i) => ids[i]!)
  for (const id of inOrder) await like(id, postId)
  await like(inOrder[0]!, postId)
  await queues.deliver({ times: 2 })
  expect(await likers(bob)).toEqual(inOrder.toReversed())
  expect((await getPost(asUser(bob), { postId })).likeCount).toBe(5)
  await unlikePost(asUser(inOrder[1]!), { postId })
  await queues.deliver({ times: 2 })
  await like(inOrder[1]!, postId)
  await queues.deliver()
  const moved = [inOrder[1]!, ...inOrder.toReversed().filter((id) => id !== inOrder[1])]
  expect(await likers(bob)).toEqual(moved)
  const first = await listLikes(asAnonymous(), { postId, limit: 2 })
  const second = await listLikes(asAnonymous(), { postId, limit: 2, cursor: first.nextCursor! })
  expect([...idsOf(first), ...idsOf(second)]).toEqual(moved.slice(0, 4))
  expect(idsOf(await listLikes(asAnonymous(), { postId, limit: 2, cursor: second.previousCursor! }))).toEqual(
    moved.slice(0, 2),
  )
})

test('only those who may read a post see who likes it, and accounts hidden from the reader are left out', async () => {
  const restricted = await publishedId(ada, { visibility: 'followers' })
  const [blocker, suspended] = await accountsOn(0, 1)
  for (const id of [bob, blocker, suspended]) await like(id, postId)
  await blockAccount(asUser(blocker), { accountId: bob })
  await suspendAccount(asModerator(ada), { accountId: suspended })
  await queues.deliver()
  expect([await likers(bob), await likers(ada)]).toEqual([[bob], [blocker, bob]])
  await expect(likers(bob, restricted)).rejects.toEqual(failure('not_found'))
  await blockAccount(asUser(ada), { accountId: bob })
  await expect(likers(bob)).rejects.toEqual(failure('not_found'))
})

test('the viewer’s own likes are listed newest first with their time, also those of hidden posts, which can be removed', async () => {
  const [cyd] = await accountsOn(1)
  const other = await publishedId(cyd)
  await like(bob, other)
  await like(bob, postId)
  await queues.deliver()
  const [{ id: likeId }] = (
    await shardHolding(postId)
      .prepare('SELECT id FROM likes WHERE post_id = ?')
      .bind(Number(postId))
      .all<{ id: number }>()
  ).results as [{ id: number }]
  expect(await likedBy(bob)).toMatchObject([
    { id: postId, post: { id: postId, liked: true }, likedAt: new Date(timeOf(String(likeId) as Id)).toISOString() },
    { id: other, post: { id: other } },
  ])
  expect(await likedBy(ada)).toEqual([])
  await blockAccount(asUser(ada), { accountId: bob })
  expect(await likedBy(bob)).toMatchObject([{ id: postId, post: null }, { id: other }])
  await unlikePost(asUser(bob), { postId })
  await queues.deliver()
  expect((await likedBy(bob)).map(({ id }) => id)).toEqual([other])
})

test('the likes of a deleted post disappear from all lists in bounded steps, despite duplicate events', async () => {
  const fans = await bulkIds(230)
  const kept = await publishedId(ada)
  await seedLikes([...fans.map((fan) => [fan, postId] as const), [fans[0]!, kept] as const])
  await deletePost(asUser(ada), { postId })
  const messages = await queues.delayMessages({ run: true })
  queues.sent.push(...messages, ...messages)
  await queues.deliver({ times: 2 })
  for (const table of ['likes', 'post_likers', 'liked_posts']) {
    expect([table, await countRows(table, { post_id: postId })]).toEqual([table, 0])
    expect([table, await countRows(table, { post_id: kept })]).toEqual([table, 1])
  }
  expect(await pendingEvents()).toBe(0)
})

test('one step deletes at most a hundred likes, and its event continues the work', async () => {
  await seedLikes((await bulkIds(130)).map((fan) => [fan, postId] as const))
  await deletePost(asUser(ada), { postId })
  await queues.delayMessages({ run: true })
  await deleteLikes(queues.context(), { postId, authorId: ada })
  expect(await countRows('likes', { post_id: postId })).toBe(30)
  await queues.deliver()
  expect(await countRows('liked_posts', { post_id: postId })).toBe(0)
})

test('a like that is mirrored while its post is deleted leaves no row', async () => {
  await likePost(asUser(bob), { postId })
  const late = await queues.delayMessages({ run: false })
  await mirrorLike(queues.context(), { postId, actorId: bob })
  const paused = pauseBatches(queues.context())
  const mirrored = mirrorLike(paused.ctx, { postId, actorId: bob })
  await paused.reached
  await deletePost(asUser(ada), { postId })
  await queues.deliver()
  paused.resume()
  await mirrored
  queues.sent.push(...late)
  await queues.deliver({ times: 2 })
  expect(await likeIds(bob, postId)).toEqual([[], [], []])
})

test('the late event of a like that was withdrawn or given again lists only the current like', async () => {
  await likePost(asUser(bob), { postId })
  const [[first]] = (await likeIds(bob, postId)) as [[number]]
  const late = () => mirrorLike(queues.context(), { postId, actorId: bob, likeId: toId(first) }, toId(first))
  await unlikePost(asUser(bob), { postId })
  await queues.deliver()
  await late()
  expect(await likeIds(bob, postId)).toEqual([[], [], []])
  await likePost(asUser(bob), { postId })
  await queues.deliver()
  await late()
  const [[second]] = (await likeIds(bob, postId)) as [[number]]
  expect(second).not.toBe(first)
  expect(await likeIds(bob, postId)).toEqual([[second], [second], [second]])
})

test('likes are mirrored from the D1 primaries while replicas lag', async () => {
  const ctx = createContext({ env: withLaggingReplicas(queues.env), waitUntil: () => {} })
  await likePost(asUser(bob), { postId })
  await queues.finishDeferred({ run: false })
  await mirrorLike(ctx, { postId, actorId: bob })
  const [[id]] = (await likeIds(bob, postId)) as [[number]]
  expect(await likeIds(bob, postId)).toEqual([[id], [id], [id]])
})

test('the lists of a post and of an account converge with the likes under duplicate, reordered and late events', async () => {
  const Step = fc.record({ unlike: fc.boolean(), far: fc.boolean(), arrives: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(Step, { minLength: 4, maxLength: 10, size: 'max' }), async (steps) => {
      const [near, far] = await accountsOn(0, 1)
      const post = await publishedId(ada)
      for (const step of steps) {
        await (step.unlike ? unlikePost : likePost)(asUser(step.far ? far : near), { postId: post })
        if (step.arrives) await queues.deliver({ times: 2 })
      }
      await queues.deliver({ times: 2 })
      for (const account of [near, far]) {
        const [stored, ...copies] = await likeIds(account, post)
        expect(copies).toEqual([stored, stored])
      }
    }),
    { numRuns: 8, unbiased: true },
  )
}, 60_000)

test('a page of likes reads the post with the list, then the accounts or posts of all shards in parallel', async () => {
  const [reader, ...others] = await bulkIds(2 + PAGE)
  const posts = await seedPosts(others)
  await seedLikes([
    ...posts.map((post) => [reader!, post] as const),
    ...others.map((other) => [other, posts[0]!] as const),
  ])
  const ofPost = await costOf(reader!, (ctx) => listLikes(ctx, { postId: posts[0]!, limit: PAGE }))
  expectWithin('likes page', ofPost, { trips: 3, rowsRead: 5 * PAGE })
  const ofReader = await costOf(reader!, (ctx) => listMyLikes(ctx, { limit: PAGE }))
  expectWithin('page of own likes', ofReader, { trips: 3, rowsRead: 6 * PAGE })
})
