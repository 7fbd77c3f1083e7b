import { env } from 'cloudflare:workers'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { getAccount } from '../../../src/services/accounts/accounts.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, listFollowing } from '../../../src/services/accounts/follows.ts'
import { accountFeed } from '../../../src/services/feed/feeds.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { createPost, deletePost, getPost } from '../../../src/services/posts/posts.ts'
import { accountsOn, handleOf, markSuspended } from '../../support/actors.ts'
import { fetchWith } from '../../support/client.ts'
import { countRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { pendingEvents } from '../../support/outboxes.ts'
import { pauseBatches } from '../../support/pause.ts'
import { commentIds, draft, postCountsOf, publish, publishedId } from '../../support/posting.ts'
import { laggingDatabase } from '../../support/replica-lag.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'
import { asAnonymous, asUser, failure, wholePage } from '../../support/viewers.ts'

let ada: Id
let bob: Id
let cyd: Id
beforeAll(trustTestKey)
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob, cyd] = await accountsOn(0, 1, 1)
})

test('a post stores its text normalized, and its author can read it at once', async () => {
  const post = await publish(ada, { text: '  e\u0301te\u0301\u0000 \u202Ein\tParis\r\n  ' })
  expect(post).toMatchObject({
    text: 'été in Paris',
    visibility: 'public',
    rootId: null,
    parentId: null,
    liked: false,
  })
  expect(post.author).toMatchObject({ id: ada, handle: handleOf(ada) })
  expect(await getPost(asUser(ada), { postId: post.id })).toEqual(post)
  expect([await countRows('posts', { id: post.id }), ...(await postCountsOf(ada)), await pendingEvents()]).toEqual([
    1, 1, 1, 1,
  ])
})

/** How many posts of Ada each viewer counts. Her account, her entry in a list and the length of her feed must agree. */
async function postCountsFor(...viewers: (Id | null)[]): Promise<number[]> {
  return Promise.all(
    viewers.map(async (viewer) => {
      const ctx = viewer === null ? asAnonymous() : asUser(viewer)
      const { postCount } = await getAccount(ctx, { accountId: ada })
      const { items } = await listFollowing(ctx, { accountId: cyd, ...wholePage })
      const feed = await accountFeed(ctx, { accountId: ada, ...wholePage })
      expect([items[0]!.postCount, feed.items.length]).toEqual([postCount, postCount])
      return postCount
    }),
  )
}

test('strangers count public posts, the author and followers count all posts, and nobody counts comments', async () => {
  await followAccount(asUser(cyd), { accountId: ada })
  const open = await publishedId(ada)
  const closed = await publishedId(ada, { visibility: 'followers', text: `only a mention of @${handleOf(bob)}` })
  const comment = await publishedId(ada, { parentId: open })
  await publishedId(ada, { parentId: closed })
  await queues.deliver()
  expect(await postCountsFor(ada, cyd, bob, null)).toEqual([2, 2, 1, 1])
  await deletePost(asUser(ada), { postId: comment })
  expect(await postCountsFor(ada, cyd, bob, null)).toEqual([2, 2, 1, 1])
  await deletePost(asUser(ada), { postId: closed })
  expect(await postCountsFor(ada, cyd, bob, null)).toEqual([1, 1, 1, 1])
  await deletePost(asUser(ada), { postId: open })
  expect(await postCountsFor(ada, cyd, bob, null)).toEqual([0, 0, 0, 0])
})

test('two concurrent deletions of a post are counted once and record one event', async () => {
  const postId = await publishedId(ada)
  await publishedId(ada)
  await queues.deliver()
  const paused = pauseBatches(asUser(ada))
  const first = deletePost(paused.ctx, { postId })
  await paused.reached
  await deletePost(asUser(ada), { postId })
  paused.resume()
  await first
  expect([...(await postCountsOf(ada)), await pendingEvents()]).toEqual([1, 1, 1])
})

test('concurrent posts with one idempotency key create one post', async () => {
  const createOnce = (author: Id, text = 'once') =>
    createPost({ ...asUser(author), idempotencyKey: 'key' }, draft({ text }))
  const answers = await Promise.all(Array.from({ length: 20 }, () => createOnce(ada)))
  expect(new Set(answers.map(({ value }) => value.id)).size).toBe(1)
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1)
  expect([await countRows('posts', { author_id: ada }), await pendingEvents()]).toEqual([1, 1])

  await expect(createOnce(ada, 'twice')).rejects.toEqual(failure('idempotency_mismatch'))
  expect((await createOnce(bob)).replayed).toBe(false)
  await deletePost(asUser(ada), { postId: answers[0]!.value.id })
  await expect(createOnce(ada)).rejects.toEqual(failure('not_found'))
})

test('deleting a post removes its likes and index entries and hides its comments', async () => {
  const root = await publishedId(ada)
  const comment = await publishedId(bob, { parentId: root })
  const other = await publishedId(bob, { parentId: comment })
  await likePost(asUser(bob), { postId: root })
  await queues.deliver()
  await deletePost(asUser(ada), { postId: root })
  await expect(getPost(asUser(ada), { postId: root })).rejects.toEqual(failure('not_found'))
  await expect(getPost(asUser(ada), { postId: other })).rejects.toEqual(failure('not_found'))
  await queues.deliver()
  for (const [table, column] of [
    ['posts', 'id'],
    ['likes', 'post_id'],
    ['post_likers', 'post_id'],
    ['liked_posts', 'post_id'],
    ['thread_index', 'thread_id'],
    ['feed_index', 'post_id'],
  ] as const) {
    expect([table, await countRows(table, { [column]: root })]).toEqual([table, 0])
  }
  expect(await postCountsOf(ada)).toEqual([0, 0])
  await expect(deletePost(asUser(ada), { postId: root })).rejects.toEqual(failure('not_found'))
})

test('reading, liking, unliking or deleting an invisible post fails with not_found, like a missing post', async () => {
  const hidden = await publishedId(ada, { visibility: 'followers' })
  const absent = String(Number(hidden) - 32_768 * 1_000) as Id
  for (const act of [getPost, likePost, deletePost]) {
    for (const postId of [hidden, absent]) {
      await expect(act(asUser(bob), { postId })).rejects.toEqual(failure('not_found'))
    }
  }
  await expect(commentIds(bob, hidden)).rejects.toEqual(failure('not_found'))
  expect(await countRows('likes', { post_id: hidden })).toBe(0)
})

test('only the author can delete a post', async () => {
  const postId = await publishedId(ada)
  await expect(deletePost(asUser(bob), { postId })).rejects.toEqual(failure('forbidden'))
  expect(await countRows('posts', { id: postId })).toBe(1)
})

test('a followers-only post is visible to a follower until a block ends the follow', async () => {
  const postId = await publishedId(ada, { visibility: 'followers' })
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  expect((await getPost(asUser(bob), { postId })).text).toBe('hello')
  await blockAccount(asUser(ada), { accountId: bob })
  await expect(getPost(asUser(bob), { postId })).rejects.toEqual(failure('not_found'))
})

test('a suspended author whose token is still valid cannot publish', async () => {
  await markSuspended(ada)
  await expect(createPost(asUser(ada), draft({ text: 'too late' }))).rejects.toEqual(failure('suspended'))
  const stored = [await countRows('posts', { author_id: ada }), await countRows('feed_index', { author_id: ada })]
  expect([...stored, await pendingEvents()]).toEqual([0, 0, 0])
})

test('a client that sends the X-Bookmarks it received reads its own writes despite a lagging replica', async () => {
  const bindings = { ...env, SHARD_0: laggingDatabase(env.SHARD_0, env.SHARD_1) }
  const token = await mint(ada)
  const request = (path: string, init: RequestInit = {}, bookmarks?: string) => {
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      ...(bookmarks && { 'x-bookmarks': bookmarks }),
    }
    return fetchWith(bindings, `/v1${path}`, { ...init, headers })
  }
  const created = await request('/posts', { method: 'POST', body: '{"text":"mine"}' })
  expect(created.status).toBe(201)
  const bookmarks = created.headers.get('x-bookmarks')!
  const { id } = await created.json<{ id: Id }>()
  expect((await request(`/posts/${id}`)).status).toBe(404)
  const fresh = await request(`/posts/${id}`, {}, bookmarks)
  expect([fresh.status, fresh.headers.has('x-bookmarks')]).toEqual([200, false])

  // A write on another shard returns the bookmark of that shard and the one that the client sent.
  const liked = await request(`/posts/${await publishedId(bob)}/like`, { method: 'PUT' }, bookmarks)
  const both = liked.headers.get('x-bookmarks')!
  expect(both.split(';')).toEqual([bookmarks, expect.stringMatching(/^1=/)])
  expect((await request(`/posts/${id}`, {}, both)).status).toBe(200)
})
