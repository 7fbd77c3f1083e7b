import { beforeAll, beforeEach, expect, test } from 'vitest'
import { type Id, newId } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount, unfollowAccount } from '../../../src/services/accounts/follows.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { likePost, unlikePost } from '../../../src/services/posts/likes.ts'
import { deletePost, getPost } from '../../../src/services/posts/posts.ts'
import { accountsOn, bulkIds } from '../../support/actors.ts'
import { fetchWith } from '../../support/client.ts'
import { count, countRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { pendingEvents } from '../../support/outboxes.ts'
import { pauseBatches } from '../../support/pause.ts'
import { countersOf, publishedId } from '../../support/posting.ts'
import { mint, trustTestKey } from '../../support/tokens.ts'
import { asModerator, asUser, failure } from '../../support/viewers.ts'

let ada: Id
let bob: Id
let postId: Id
beforeAll(trustTestKey)
beforeEach(async () => {
  ;[ada, bob] = await accountsOn(0, 1)
  postId = await publishedId(ada)
  await queues.deliver()
})

const storedLikes = (post = postId) => countRows('likes', { post_id: post })
/** The like count, read from the row of the post because the post may be hidden from everyone. */
const countedLikes = (post = postId) =>
  count(`select coalesce(sum(like_count), 0) n from posts where id = ${Number(post)}`)

test('concurrent likes by one account count once', async () => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => likePost(asUser(bob), { postId })))
  expect(answers.every((answer) => answer.liked)).toBe(true)
  expect([await storedLikes(), await pendingEvents()]).toEqual([1, 1])
  expect(await countersOf(ada, postId)).toEqual({ likeCount: 1, commentCount: 0 })
})

test('the like count equals the number of likes after concurrent likes and unlikes', async () => {
  const people = await bulkIds(8)
  const actions = people.flatMap((id, i) =>
    [likePost, i % 2 ? unlikePost : likePost, likePost, unlikePost]
      .slice(0, (i % 4) + 1)
      .map((act) => act(asUser(id), { postId })),
  )
  await Promise.all(actions)
  expect((await countersOf(ada, postId)).likeCount).toBe(await storedLikes())
  for (const id of people) await unlikePost(asUser(id), { postId })
  expect([(await countersOf(ada, postId)).likeCount, await storedLikes()]).toEqual([0, 0])
})

test('a like that loses the race against a block fails and is not counted', async () => {
  const paused = pauseBatches(asUser(bob))
  const like = expect(likePost(paused.ctx, { postId })).rejects.toEqual(failure('not_found'))
  await paused.reached
  await blockAccount(asUser(ada), { accountId: bob })
  paused.resume()
  await like
  expect([(await countersOf(ada, postId)).likeCount, await storedLikes()]).toEqual([0, 0])
  await queues.deliver()
})

test('a like that loses the race against the deletion of its post leaves no row', async () => {
  const paused = pauseBatches(asUser(bob))
  const like = expect(likePost(paused.ctx, { postId })).rejects.toEqual(failure('not_found'))
  await paused.reached
  await deletePost(asUser(ada), { postId })
  paused.resume()
  await like
  expect(await storedLikes()).toBe(0)
  await queues.deliver()
})

/** Each function lets Bob like a post by Ada, hides the post from Bob, and returns the id of the post. */
const hidings: Record<string, () => Promise<Id>> = {
  'the author blocks the viewer': async () => {
    await likePost(asUser(bob), { postId })
    await blockAccount(asUser(ada), { accountId: bob })
    return postId
  },
  'the viewer blocks the author': async () => {
    await likePost(asUser(bob), { postId })
    await blockAccount(asUser(bob), { accountId: ada })
    return postId
  },
  'the viewer unfollows the author of a followers-only post': async () => {
    await followAccount(asUser(bob), { accountId: ada })
    await queues.deliver()
    const restricted = await publishedId(ada, { visibility: 'followers' })
    await likePost(asUser(bob), { postId: restricted })
    await unfollowAccount(asUser(bob), { accountId: ada })
    return restricted
  },
  'the author is suspended': async () => {
    await likePost(asUser(bob), { postId })
    await suspendAccount(asModerator(bob), { accountId: ada })
    return postId
  },
  'the root of the comment is deleted': async () => {
    const [cyd] = await accountsOn(1)
    const root = await publishedId(cyd)
    const comment = await publishedId(ada, { parentId: root })
    await likePost(asUser(bob), { postId: comment })
    await deletePost(asUser(cyd), { postId: root })
    return comment
  },
}

test.each(Object.entries(hidings))('a like can be withdrawn after %s', async (_, hide) => {
  const hidden = await hide()
  await queues.deliver()
  await expect(getPost(asUser(bob), { postId: hidden })).rejects.toEqual(failure('not_found'))
  expect([await storedLikes(hidden), await countedLikes(hidden)]).toEqual([1, 1])
  for (let times = 0; times < 2; times++) {
    expect(await unlikePost(asUser(bob), { postId: hidden })).toBeUndefined()
    expect([await storedLikes(hidden), await countedLikes(hidden), await pendingEvents()]).toEqual([0, 0, 1])
  }
})

test('unliking a deleted, an absent or a never-liked post changes nothing', async () => {
  const [deleted, other] = [await publishedId(ada), await publishedId(ada)]
  await likePost(asUser(bob), { postId: deleted })
  await likePost(asUser(ada), { postId: other })
  await deletePost(asUser(ada), { postId: deleted })
  await queues.deliver()
  for (const target of [deleted, other, newId(0, Date.now() - 86_400_000), newId(1, Date.now())]) {
    expect(await unlikePost(asUser(bob), { postId: target })).toBeUndefined()
  }
  expect([await storedLikes(other), await countedLikes(other), await pendingEvents()]).toEqual([1, 1, 0])
  await expect(unlikePost(asUser(bob), { postId: newId(63, Date.now()) })).rejects.toEqual(failure('not_found'))
})

test('the answer to an unlike, and its cost, do not reveal whether the post exists', async () => {
  const restricted = await publishedId(ada, { visibility: 'followers' })
  const [blocker] = await accountsOn(0)
  const [visible, blocked] = [await publishedId(ada), await publishedId(blocker)]
  for (const liked of [visible, blocked]) await likePost(asUser(bob), { postId: liked })
  await blockAccount(asUser(blocker), { accountId: bob })
  const answerTo = async (id: Id) => {
    const response = await fetchWith(queues.env, `/v1/posts/${id}/like`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${await mint(bob)}` },
    })
    const headers = new Headers(response.headers)
    for (const name of ['x-request-id', 'ratelimit']) headers.delete(name)
    headers.set('x-bookmarks', headers.get('x-bookmarks')!.replace(/=.*/, ''))
    // Not every request calls the AccessGuard, so the number of object calls varies.
    headers.set('x-cost', headers.get('x-cost')!.replace(/"objectCalls":\d+/, ''))
    return JSON.stringify([response.status, await response.text(), [...headers].sort()])
  }
  const never = [postId, restricted, newId(0, Date.now() - 86_400_000)]
  await answerTo(postId) // only the first request reads the signing keys
  const answers = new Set<string>()
  for (const id of never) answers.add(await answerTo(id))
  expect([...answers]).toEqual([expect.stringMatching(/^\[204,"",/)])
  expect(await answerTo(visible)).toBe(await answerTo(blocked))
})

test('concurrent unlikes by one account count once', async () => {
  await likePost(asUser(bob), { postId })
  await likePost(asUser(ada), { postId })
  await queues.deliver()
  await Promise.all(Array.from({ length: 10 }, () => unlikePost(asUser(bob), { postId })))
  expect([await storedLikes(), await countedLikes(), await pendingEvents()]).toEqual([1, 1, 1])
})
