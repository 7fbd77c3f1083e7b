import { beforeEach, expect, test } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { likePost, unlikePost } from '../../../src/services/posts/likes.ts'
import { deletePost } from '../../../src/services/posts/posts.ts'
import { accountsOn, bulkIds } from '../../support/actors.ts'
import { countRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { pendingEvents } from '../../support/outboxes.ts'
import { pauseFirstBatch } from '../../support/pause-batch.ts'
import { countersOf, publishedId } from '../../support/posting.ts'
import { asUser, failure } from '../../support/viewers.ts'

let ada: Id
let bob: Id
let postId: Id
beforeEach(async () => {
  ;[ada, bob] = await accountsOn(0, 1)
  postId = await publishedId(ada)
  await queues.deliver()
})

const storedLikes = () => countRows('likes', { post_id: postId })

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
  const paused = pauseFirstBatch(asUser(bob))
  const like = expect(likePost(paused.ctx, { postId })).rejects.toEqual(failure('not_found'))
  await paused.reached
  await blockAccount(asUser(ada), { accountId: bob })
  paused.resume()
  await like
  expect([(await countersOf(ada, postId)).likeCount, await storedLikes()]).toEqual([0, 0])
  await queues.deliver()
})

test('a like that loses the race against the deletion of its post leaves no row', async () => {
  const paused = pauseFirstBatch(asUser(bob))
  const like = expect(likePost(paused.ctx, { postId })).rejects.toEqual(failure('not_found'))
  await paused.reached
  await deletePost(asUser(ada), { postId })
  paused.resume()
  await like
  expect(await storedLikes()).toBe(0)
  await queues.deliver()
})
