import { beforeAll, expect, test } from 'vitest'
import type { UserCtx } from '../src/platform/context.ts'
import { type Id, shardOf, timeOf } from '../src/platform/data/ids.ts'
import type { Cost } from '../src/platform/observability/cost.ts'
import { blockAccount, listBlocks, unblockAccount } from '../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../src/services/accounts/follows.ts'
import { indexAndAnnounce } from '../src/services/feed/announce.ts'
import { homeFeed } from '../src/services/feed/feeds.ts'
import { listNotifications } from '../src/services/notifications/notifications.ts'
import { notify } from '../src/services/notifications/notify.ts'
import { likePost, unlikePost } from '../src/services/posts/likes.ts'
import { createPost, getPost } from '../src/services/posts/posts.ts'
import { accountsOn, bulkIds, handleOf, type RegisteredUser, registeredUser } from './support/actors.ts'
import { type Budget, costOf, expectWithin, PAGE } from './support/budgets.ts'
import { insertRows, shards, unusedId } from './support/databases.ts'
import { queues } from './support/manual-queues.ts'
import { draft } from './support/posting.ts'
import { seedFollows, seedImages, seedPosts } from './support/seed.ts'
import { asUser } from './support/viewers.ts'

// Checks the budgets in docs/architecture.md. A cost includes deferred work that begins before the verb ends.

const AUTHORS = 750
/** The rows that tell which hubs of a shard have listeners. */
const HUBS = 4

let authors: Id[]
let users: [RegisteredUser, RegisteredUser]

/** Numbers of posts, a factor of ten apart: the budgets must not depend on the size of the network. */
const sizes = [3_750, 37_500]
const began = Date.now()
let posted = 0
/** The times of all posts are 10 ms apart, however slow the machine is: their order changes the rows that a page reads. */
async function growTo(posts: number): Promise<void> {
  const more = Array.from({ length: posts - posted }, (_, i) => authors[(i * 7) % AUTHORS]!)
  await seedPosts(more, { until: began - (sizes.at(-1)! - posts) * 10 })
  posted = posts
}

/** Readers on shard 0. A home feed page takes one round trip per shard that holds accounts they follow. */
let readers: { id: Id; followed: number; trips: number }[]

beforeAll(async () => {
  users = [await registeredUser(), await registeredUser()]
  authors = await bulkIds(AUTHORS, (i) => (i % 3 === 0 ? 1 : 0))
  const local = authors.filter((id) => shardOf(id) === 0)
  const kinds = [50, 200, 500].flatMap((followed) => [
    { followed, trips: 1, from: local },
    { followed, trips: 2, from: authors },
  ])
  const ids = await bulkIds(kinds.length, () => 0)
  readers = kinds.map((kind, i) => ({ ...kind, id: ids[i]! }))
  await seedFollows(
    kinds.flatMap(({ followed, from }, i) => from.slice(0, followed).map((id) => [ids[i]!, id] as const)),
  )
})

test.each(sizes)(
  'with %i posts, each of the first ten home feed pages stays within the budget for the number of followed accounts',
  async (size) => {
    await growTo(size)
    for (const { id, followed, trips } of readers) {
      const budget = 3.2 * followed + 200 + 6 * PAGE
      let cursor: string | undefined
      for (let number = 1; number <= 10; number++) {
        const ctx = asUser(id)
        const page = await homeFeed(ctx, { limit: PAGE, cursor })
        expect(page.items).toHaveLength(PAGE)
        expectWithin(`page ${number} of ${followed}`, ctx.cost, { trips, rowsRead: budget })
        cursor = page.nextCursor!
      }
    }
  },
)

test.each(sizes)('with %i posts, reads and writes stay within budget, on one shard or across two', async (size) => {
  await growTo(size)
  for (const [author, other] of [await accountsOn(0, 0), await accountsOn(0, 1)]) {
    const { value: post } = await createPost(asUser(author), draft({ text: 'hello' }))
    const within = async (name: string, budget: Budget, run: (ctx: UserCtx) => Promise<unknown>) =>
      expectWithin(name, await costOf(other, run), budget)
    const written = { trips: 2, rowsRead: 8, queueMessages: 1, objectCalls: 1 }

    const { value: comment } = await createPost(asUser(other), draft({ text: 'well said', parentId: post.id }))

    await within('read a post', { trips: 1, rowsRead: 8 }, (ctx) => getPost(ctx, { postId: post.id }))
    await within('read a comment', { trips: 2, rowsRead: 8 }, (ctx) => getPost(ctx, { postId: comment.id }))
    await within('create a post', { ...written, trips: 1, rowsWritten: 5 }, (ctx) =>
      createPost(ctx, draft({ text: 'plain #tag' })),
    )
    // On one shard, the like is also added to the list of its account.
    const list = shardOf(author) === shardOf(other) ? 1 : 0
    const like = { ...written, trips: 1, rowsRead: list ? 24 : 16, rowsWritten: 3 + list }
    await within('like', like, (ctx) => likePost(ctx, { postId: post.id }))
    await within('like again', { trips: 1, rowsRead: like.rowsRead }, (ctx) => likePost(ctx, { postId: post.id }))
    await within('like a comment', { ...written, trips: 3, rowsRead: 27, rowsWritten: 4 }, (ctx) =>
      likePost(ctx, { postId: comment.id }),
    )
    await within('unlike', { ...written, trips: 1, rowsRead: 44, rowsWritten: 3 + list }, (ctx) =>
      unlikePost(ctx, { postId: post.id }),
    )
    await within('unlike again', { trips: 1, rowsRead: 14 }, (ctx) => unlikePost(ctx, { postId: post.id }))
    await within('follow', { ...written, rowsRead: 8 + HUBS, rowsWritten: 4 }, (ctx) =>
      followAccount(ctx, { accountId: author }),
    )
    await within('follow again', { trips: 2, rowsRead: 8 + HUBS }, (ctx) => followAccount(ctx, { accountId: author }))
    await within('notifications page', { trips: 2 + shardOf(other), rowsRead: 6 * PAGE }, (ctx) =>
      listNotifications(ctx, { limit: PAGE }),
    )
    await queues.deliver()
  }
})

test('unfollow, block, and unblock without a block take one round trip and do not read the other account', async () => {
  for (const [author, other] of [await accountsOn(0, 0), await accountsOn(0, 1)]) {
    const within = async (name: string, budget: Budget, act: (ctx: UserCtx, ref: { accountId: Id }) => Promise<void>) =>
      expectWithin(name, await costOf(other, (ctx) => act(ctx, { accountId: author })), { trips: 1, ...budget })
    const written = { rowsRead: 8 + HUBS, queueMessages: 1, objectCalls: 1 }
    await seedFollows([[other, author]])
    await within('unfollow', { ...written, rowsWritten: 3 }, unfollowAccount)
    await within('unfollow again', { rowsRead: 8 + HUBS }, unfollowAccount)
    await seedFollows([
      [other, author],
      [author, other],
    ])
    await within('unblock without a block', { rowsRead: 1 }, unblockAccount)
    await within('block', { ...written, rowsRead: 10 + HUBS, rowsWritten: 7, objectCalls: 2 }, blockAccount)
    await within('block again', { rowsRead: 8 + HUBS }, blockAccount)
    await queues.deliver()
  }
})

// The parent, the mentioned accounts and the images are read in one trip before the post is written. An uncached handle
// is looked up in the directory before that trip. The root of a parent that is a comment is read after that trip.
test('a root parent or images cost one more trip, a parent comment or uncached mention two more', async () => {
  const [ada, bob] = await accountsOn(0, 1)
  const { value: post } = await createPost(asUser(ada), draft({ text: 'hello' }))
  const { value: comment } = await createPost(asUser(ada), draft({ text: 'hello', parentId: post.id }))
  const media = await seedImages([bob, bob])
  const drafts: [string, Parameters<typeof draft>[0], Budget][] = [
    ['mention', { text: `@${handleOf(ada)}` }, { trips: 3, rowsRead: 8, directoryTrips: 1, cacheReads: 1 }],
    ['parent', { text: 'x', parentId: post.id }, { trips: 2, rowsRead: 8 }],
    ['parent that is a comment', { text: 'x', parentId: comment.id }, { trips: 3, rowsRead: 11 }],
    ['images', { text: 'x', media }, { trips: 2, rowsRead: 9 + 9 * 2, rowsWritten: 5 + 2 * 2 }],
  ]
  for (const [name, input, budget] of drafts) {
    const cost = await costOf(bob, (ctx) => createPost(ctx, draft(input)))
    expectWithin(name, cost, { rowsWritten: 5, queueMessages: 1, objectCalls: 1, ...budget })
  }
})

test('a notifications page reads all posts and actors in one parallel wave over the shards', async () => {
  const recipients = await accountsOn(0, 1)
  for (const [i, recipient] of recipients.entries()) {
    const posts = await seedPosts(Array.from({ length: 60 }, () => recipient))
    const rows = posts.map((post, n) => ({
      account_id: Number(recipient),
      id: Number(unusedId(i, timeOf(post))),
      kind: 'like',
      actor_id: Number(authors[n]),
      post_id: Number(posts[n]),
      arrived_at: 1,
    }))
    await insertRows(shards[i]!, 'notifications', rows)
    const cost = await costOf(recipient, (ctx) => listNotifications(ctx, { limit: PAGE }))
    // Plus 2: the row after the page, and the account of the reader, who wrote all the posts.
    expectWithin('notifications page', cost, { trips: 3, rowsRead: 6 * PAGE + 2 })
  }
})

test('a page of blocks reads the viewer’s shard, then the blocked accounts of all shards in parallel', async () => {
  const [reader, ...others] = await bulkIds(2 + PAGE)
  const rows = others.map((other, i) => ({ account_id: Number(reader), other_id: Number(other), by_me: 1, id: i + 1 }))
  await insertRows(shards[0], 'blocks', rows)
  expectWithin('blocks page', await costOf(reader!, (ctx) => listBlocks(ctx, { limit: PAGE })), {
    trips: 3,
    rowsRead: 4 * PAGE,
  })
})

test('a notifications page of comments reads root posts in the same parallel wave as comments and actors', async () => {
  const [recipient, ...writers] = await bulkIds(1 + 2 * PAGE)
  const roots = await seedPosts(writers.slice(0, PAGE))
  const comments = await seedPosts(writers.slice(PAGE))
  for (const [i, comment] of comments.entries()) {
    const under = shards[shardOf(comment)]!.prepare('update posts set root_id = ?1, parent_id = ?1 where id = ?2')
    await under.bind(Number(roots[i]), Number(comment)).run()
    const notification = { id: comment, kind: 'comment', actorId: writers[PAGE + i]!, postId: comment } as const
    await notify(queues.context(), recipient!, notification)
  }
  const ctx = asUser(recipient!)
  const page = await listNotifications(ctx, { limit: PAGE })
  expect(page.items.map((item) => item.post?.rootId)).toEqual(roots.toReversed())
  // One row more per entry than for likes, because each comment has its own root.
  expectWithin('notifications page', ctx.cost, { trips: 3, rowsRead: 7 * PAGE + 2 })
})

test('a post is announced with one trip per shard and one more, whatever the number of followers and accounts online', async () => {
  const [author] = await accountsOn(0)
  const fans = await bulkIds(1_500, () => 1)
  await seedFollows(fans.map((fan) => [fan, author]))
  await insertRows(
    shards[1],
    'hubs',
    Array.from({ length: 4 }, (_, i) => ({ name: `1:4:${i}`, epoch: 1 })),
  )
  const { value: post } = await createPost(asUser(author), draft({ text: 'hello' }))
  const ctx = queues.context()
  await indexAndAnnounce(ctx, [{ postId: post.id, authorId: author, rootId: null, isPublic: true }])
  expectWithin('announcement', ctx.cost, { trips: 1 + shards.length, rowsRead: 20, rowsWritten: 2, objectCalls: 4 })
})

test('a request with a valid token makes no directory read and at most one Durable Object call', async () => {
  const [ada, bob] = users
  const { id } = await (await ada.fetch('/v1/posts', { method: 'POST', json: { text: 'hello' } })).json<{
    id: string
  }>()
  const requests: [method: string, path: string, json?: unknown][] = [
    ['GET', '/v1/feeds/home'],
    ['GET', `/v1/posts/${id}`],
    ['GET', '/v1/notifications'],
    ['POST', '/v1/posts', { text: 'hello' }],
    ['PUT', `/v1/posts/${id}/like`],
    ['PUT', `/v1/accounts/${ada.id}/follow`],
  ]
  for (const [method, path, json] of requests) {
    const response = await bob.fetch(path, { method, ...(json === undefined ? {} : { json }) })
    const { directoryTrips, objectCalls } = JSON.parse(response.headers.get('x-cost')!) as Cost
    expect({ path, ok: response.ok, directoryTrips, objectCalls: objectCalls <= 1 }).toEqual({
      path,
      ok: true,
      directoryTrips: 0,
      objectCalls: true,
    })
  }
})
