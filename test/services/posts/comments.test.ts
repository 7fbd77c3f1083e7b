import { beforeEach, expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount } from '../../../src/services/accounts/blocks.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { deleteMedia } from '../../../src/services/media/media.ts'
import { indexComment } from '../../../src/services/posts/comments.ts'
import { deletePost, getPost } from '../../../src/services/posts/posts.ts'
import { accountsOn } from '../../support/actors.ts'
import { count, countRows } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { commentIds, countersOf, publish, publishedId } from '../../support/posting.ts'
import { withLaggingReplicas } from '../../support/replica-lag.ts'
import { seedImages } from '../../support/seed.ts'
import { asModerator, asUser, failure } from '../../support/viewers.ts'

// Ada and Cyd are on one shard, Bob is on the other.
let ada: Id
let bob: Id
let cyd: Id
beforeEach(async () => {
  await queues.deliver()
  ;[ada, bob, cyd] = await accountsOn(0, 1, 0)
})

const commentCount = async (postId: Id) => (await countersOf(ada, postId)).commentCount

test('a root post lists all comments of its thread, and a comment lists its direct replies, oldest first', async () => {
  const root = await publishedId(ada)
  const first = await publishedId(bob, { parentId: root })
  await queues.deliver()
  const reply = await publishedId(cyd, { parentId: first })
  await queues.deliver()
  const deep = await publish(ada, { parentId: reply })
  await queues.deliver()
  // Ids created within the same 10 ms are in random order.
  const oldestFirst = (...ids: Id[]) => ids.sort((a, b) => Number(a) - Number(b))
  expect([deep.rootId, deep.parentId]).toEqual([root, reply])
  expect(await commentIds(ada, root)).toEqual(oldestFirst(first, reply, deep.id))
  expect([await commentIds(ada, first), await commentIds(ada, reply)]).toEqual([[reply], [deep.id]])

  await deletePost(asUser(bob), { postId: first })
  await queues.deliver()
  expect([await commentIds(ada, root), await commentCount(root)]).toEqual([oldestFirst(reply, deep.id), 2])
})

test('the comment count is exact after concurrent comments, deletions and duplicate event deliveries', async () => {
  const root = await publishedId(ada)
  const authors = [ada, bob, cyd]
  const authorOf = (i: number) => authors[i % 3]!
  const comments = await Promise.all(Array.from({ length: 8 }, (_, i) => publishedId(authorOf(i), { parentId: root })))
  const isDeleted = (i: number) => i % 2 === 1
  await Promise.all([
    queues.deliver({ times: 2 }),
    ...comments.map((postId, i) => (isDeleted(i) ? deletePost(asUser(authorOf(i)), { postId }) : null)),
  ])
  await queues.deliver({ times: 3 })
  expect(new Set(await commentIds(ada, root))).toEqual(new Set(comments.filter((_, i) => !isDeleted(i))))
  expect(await commentCount(root)).toBe(4)
})

test('a comment is indexed despite lagging replicas, and never under a deleted post', async () => {
  const [root, deleted] = [await publishedId(ada), await publishedId(ada)]
  const comment = await publishedId(bob, { parentId: root })
  const orphan = await publishedId(bob, { parentId: deleted })
  await deletePost(asUser(ada), { postId: deleted })
  const ctx = createContext({ env: withLaggingReplicas(queues.env), waitUntil: () => {} })
  await indexComment(ctx, { threadId: root, postId: comment })
  await indexComment(ctx, { threadId: deleted, postId: orphan })
  expect([await commentIds(ada, root), await commentCount(root)]).toEqual([[comment], 1])
  expect(await countRows('thread_index', { thread_id: deleted })).toBe(0)
})

/** Each function hides from Bob a root post by Ada, under which Bob has a comment with an image. */
const hidings: Record<string, (root: Id) => Promise<unknown>> = {
  'the author of the root blocks them': () => blockAccount(asUser(ada), { accountId: bob }),
  'they block the author of the root': () => blockAccount(asUser(bob), { accountId: ada }),
  'the author of the root is suspended': () => suspendAccount(asModerator(cyd), { accountId: ada }),
  'the root is deleted': (root) => deletePost(asUser(ada), { postId: root }),
}

test.each(Object.entries(hidings))('an account can delete its comment and unused images after %s', async (_, hide) => {
  const root = await publishedId(ada)
  const [attached, unused] = await seedImages([bob, bob])
  const comment = await publishedId(bob, { parentId: root, media: [attached!] })
  const reply = await publishedId(bob, { parentId: comment })
  await queues.deliver()
  await hide(root)
  await queues.deliver()
  await expect(getPost(asUser(bob), { postId: comment })).rejects.toEqual(failure('not_found'))
  for (const postId of [comment, reply]) await deletePost(asUser(bob), { postId })
  await deleteMedia(asUser(bob), { mediaId: unused! })
  await queues.deliver()
  const counted = await count(`select coalesce(sum(comment_count), 0) n from posts where id = ${Number(root)}`)
  const left = [await countRows('posts', { author_id: bob }), await countRows('media', { account_id: bob })]
  expect([...left, await countRows('thread_index', { thread_id: root }), counted]).toEqual([0, 0, 0, 0])
})
