import { expect, test } from 'vitest'
import type { UserCtx } from '../../../src/platform/context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { markFollows } from '../../../src/services/accounts/hiding.ts'
import { liftSuspension, suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { markLists } from '../../../src/services/posts/hiding.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { deleteThread } from '../../../src/services/posts/threads.ts'
import { bulkIds, markSuspended } from '../../support/actors.ts'
import { expectWithin } from '../../support/budgets.ts'
import { count, countRows, insertRows, shardHolding, shards } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { pendingEvents } from '../../support/outboxes.ts'
import { seedFollows, seedLikes, seedPosts } from '../../support/seed.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asModerator, asUser } from '../../support/viewers.ts'

const anEvent = '1' as Id
const suspend = (accountId: Id) => suspendAccount(asModerator(cyd), { accountId })
const lift = (accountId: Id) => liftSuspension(asModerator(cyd), { accountId })

/** Posts and accounts of both shards with one like and one follower, all by Bob, and one follow of Bob. */
async function seedMemberships(number: number): Promise<{ posts: Id[]; others: Id[] }> {
  const others = await bulkIds(number)
  const posts = await seedPosts(others)
  await seedLikes(posts.map((post) => [bob, post] as const))
  await seedFollows(others.flatMap((other) => [[bob, other] as const, [other, bob] as const]))
  for (const db of shards) {
    await db
      .prepare(`UPDATE posts SET like_count = 1 WHERE id IN (SELECT value FROM json_each(?))`)
      .bind(`[${posts}]`)
      .run()
    const counted = db.prepare(
      `UPDATE accounts SET follower_count = 1, following_count = 1 WHERE id IN (SELECT value FROM json_each(?))`,
    )
    await counted.bind(`[${others}]`).run()
  }
  return { posts, others }
}

test('the comment list of a deleted post is deleted in steps of a hundred, which go on after a crash', async () => {
  const [root, ...comments] = await seedPosts([ada, ...Array.from({ length: 230 }, () => bob)])
  const rows = comments.map((comment) => ({ thread_id: Number(root), post_id: Number(comment) }))
  await insertRows(shardHolding(root!), 'thread_index', rows)
  const left = () => countRows('thread_index', { thread_id: root! })
  await deletePost(asUser(ada), { postId: root! })
  const [first] = await queues.delayMessages({ run: true })
  await deleteThread(queues.context(), root!, async () => {})
  expect(await left()).toBe(130)
  queues.sent.push(first!, first!)
  await queues.deliver({ times: 2 })
  expect([await left(), await pendingEvents()]).toEqual([0, 0])
})

const sums = async ({ posts, others }: { posts: Id[]; others: Id[] }) => [
  await count(`SELECT coalesce(sum(like_count), 0) n FROM posts WHERE id IN (${posts})`),
  await count(`SELECT coalesce(sum(follower_count), 0) n FROM accounts WHERE id IN (${others})`),
  await count(`SELECT coalesce(sum(following_count), 0) n FROM accounts WHERE id IN (${others})`),
]

test('a suspension spreads in steps of a hundred rows, once each despite duplicate events', async () => {
  const made = await seedMemberships(230)
  for (const [act, each] of [
    [suspend, 0],
    [lift, 230],
    [suspend, 0],
  ] as const) {
    await act(bob)
    const messages = await queues.delayMessages({ run: true })
    queues.sent.push(...messages, ...messages)
    await queues.deliver({ times: 2 })
    expect(await sums(made)).toEqual([each, each, each])
  }
  expect(await pendingEvents()).toBe(0)
})

/** Comments by Bob, each a reply to a comment on one post. The two accounts have the post and the comment. */
async function seedComments(number: number, root: Id, parent: Id): Promise<[Id, Id]> {
  const [rootId, parentId] = (await seedPosts([root, parent])) as [Id, Id]
  const ids = await seedPosts(Array.from({ length: number }, () => bob))
  const place = shardHolding(bob).prepare('UPDATE posts SET root_id = ?, parent_id = ? WHERE author_id = ?')
  await place.bind(Number(rootId), Number(parentId), Number(bob)).run()
  const lane = ids.map((id) => ({ author_id: Number(bob), lane: 1, post_id: Number(id) }))
  await insertRows(shardHolding(bob), 'feed_index', lane)
  for (const thread of [rootId, parentId]) {
    const rows = ids.map((id) => ({ thread_id: Number(thread), post_id: Number(id) }))
    await insertRows(shardHolding(thread), 'thread_index', rows)
    const counted = shardHolding(thread).prepare('UPDATE posts SET comment_count = ? WHERE id = ?')
    await counted.bind(number, Number(thread)).run()
  }
  return [rootId, parentId]
}

test('one step marks at most a hundred comments, in the lists of the post and of the comment above', async () => {
  const threads = await seedComments(130, ada, bob)
  const counts = () =>
    Promise.all(threads.map((id) => count(`SELECT sum(comment_count) n FROM posts WHERE id = ${id}`)))
  await markSuspended(bob)
  const ctx = asUser(bob)
  await markLists(ctx, { accountId: bob, list: 'comments', after: null }, anEvent)
  expectWithin('step', ctx.cost, {
    trips: 6,
    rowsRead: 12 * 100,
    rowsWritten: 4 * 100 + 2,
    queueMessages: 1,
    objectCalls: 1,
  })
  expect(await counts()).toEqual([30, 30])
})

test('one step marks at most a hundred rows, and takes one round trip for each shard besides its own reads', async () => {
  const made = await seedMemberships(130)
  await markSuspended(bob)
  const within = async (step: (ctx: UserCtx) => Promise<void>, rowsRead: number) => {
    const ctx = asUser(bob)
    await step(ctx)
    // The list, the state before and after, both shards, and the event of the next step.
    expectWithin('step', ctx.cost, { trips: 6, rowsRead, rowsWritten: 2 * 100 + 2, queueMessages: 1, objectCalls: 1 })
  }
  const from = { accountId: bob, after: null }
  await within((ctx) => markLists(ctx, { ...from, list: 'likes' }, anEvent), 13 * 100)
  await within((ctx) => markFollows(ctx, { ...from, list: 'following' }, anEvent), 13 * 100)
  await within((ctx) => markFollows(ctx, { ...from, list: 'followers' }, anEvent), 13 * 100)
  expect(await sums(made)).toEqual([30, 30, 30])
})
