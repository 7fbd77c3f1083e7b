import { expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { blockAccount, unblockAccount } from '../../../src/services/accounts/blocks.ts'
import { followAccount } from '../../../src/services/accounts/follows.ts'
import { suspendAccount } from '../../../src/services/accounts/suspensions.ts'
import { deleteMedia } from '../../../src/services/media/media.ts'
import { listComments, listMyComments } from '../../../src/services/posts/comments.ts'
import { likePost } from '../../../src/services/posts/likes.ts'
import { deletePost, getPost } from '../../../src/services/posts/posts.ts'
import { indexComment } from '../../../src/services/posts/threads.ts'
import { handleOf } from '../../support/actors.ts'
import { count, countRows, insertByShard } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { commentIds, countersOf, publish, publishedId } from '../../support/posting.ts'
import { withLaggingReplicas } from '../../support/replica-lag.ts'
import { seedImages, seedPosts } from '../../support/seed.ts'
import { ada, bob, cyd } from '../../support/trio.ts'
import { asAnonymous, asModerator, asUser, failure, idsOf, wholePage } from '../../support/viewers.ts'

const ownCommentIds = async (author: Id) => idsOf(await listMyComments(asUser(author), wholePage))
const commentCount = async (postId: Id) => (await countersOf(ada, postId)).commentCount

test('a root post lists all comments of its thread, and a comment lists its direct replies, oldest first', async () => {
  const root = await publishedId(ada)
  const first = await publishedId(bob, { parentId: root })
  await queues.deliver()
  const reply = await publishedId(cyd, { parentId: first })
  await queues.deliver()
  const deep = await publish(ada, { parentId: reply })
  await queues.deliver()
  // Sorts by id, because ids that are created within the same 10 ms are in random order.
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
  await indexComment(ctx, { threadId: root, postId: comment, rootId: root })
  await indexComment(ctx, { threadId: deleted, postId: orphan, rootId: deleted })
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

test.each(Object.entries(hidings))('an account can list, read and delete its comments after %s', async (_, hide) => {
  const root = await publishedId(ada)
  const [attached, unused] = await seedImages([bob, bob])
  const comment = await publishedId(bob, { parentId: root, media: [attached!] })
  const reply = await publishedId(bob, { parentId: comment })
  await queues.deliver()
  await hide(root)
  await queues.deliver()
  expect(await getPost(asUser(bob), { postId: comment })).toMatchObject({ rootId: root, commentCount: 0 })
  expect([new Set(await ownCommentIds(bob)), await commentIds(bob, comment)]).toEqual([new Set([comment, reply]), []])
  for (const postId of [comment, reply]) await deletePost(asUser(bob), { postId })
  await deleteMedia(asUser(bob), { mediaId: unused! })
  await queues.deliver()
  const counted = await count(`select coalesce(sum(comment_count), 0) n from posts where id = ${Number(root)}`)
  const left = [await countRows('posts', { author_id: bob }), await countRows('media', { account_id: bob })]
  expect([...left, await countRows('thread_index', { thread_id: root }), counted]).toEqual([0, 0, 0, 0])
})

test('a comment has the visibility of the post at the top of its thread, and another visibility is refused', async () => {
  const [open, closed] = [await publishedId(ada), await publishedId(ada, { visibility: 'followers' })]
  const comment = await publish(ada, { parentId: closed })
  const reply = await publish(ada, { parentId: comment.id, visibility: 'followers' })
  expect([comment.visibility, reply.visibility]).toEqual(['followers', 'followers'])
  expect((await publish(bob, { parentId: open })).visibility).toBe('public')
  for (const [parentId, visibility] of [
    [open, 'followers'],
    [comment.id, 'public'],
  ] as const) {
    await expect(publish(ada, { parentId, visibility })).rejects.toMatchObject({
      code: 'invalid',
      extra: { errors: [{ field: 'visibility' }] },
    })
  }
  expect(await countRows('posts', { author_id: ada })).toBe(4)
})

test('for every viewer of a post, the comment count equals the number of listed comments', async () => {
  const root = await publishedId(ada)
  const comment = await publishedId(bob, { parentId: root })
  await publishedId(cyd, { parentId: comment })
  await queues.deliver()
  for (const ctx of [asUser(ada), asUser(bob), asUser(cyd), asAnonymous()]) {
    for (const postId of [root, comment]) {
      const { commentCount } = await getPost(ctx, { postId })
      expect((await listComments(ctx, { postId, ...wholePage })).items).toHaveLength(commentCount)
    }
  }
})

/** A followers-only post by Ada, a comment by her follower Bob that mentions Cyd, and Ada's reply to it. */
async function closedThread() {
  await followAccount(asUser(bob), { accountId: ada })
  await queues.deliver()
  const root = await publishedId(ada, { visibility: 'followers' })
  const comment = await publishedId(bob, { parentId: root, text: `@${handleOf(cyd)}` })
  const reply = await publishedId(ada, { parentId: comment })
  await queues.deliver()
  return { root, comment, reply }
}

test('a mentioned account reads a comment whose thread is hidden from it, but neither counts nor joins it', async () => {
  const { root, comment, reply } = await closedThread()
  expect(await getPost(asUser(cyd), { postId: comment })).toMatchObject({ rootId: root, commentCount: 0 })
  expect(await commentIds(cyd, comment)).toEqual([])
  expect(await likePost(asUser(cyd), { postId: comment })).toMatchObject({ liked: true, commentCount: 0 })
  for (const postId of [root, reply]) {
    await expect(getPost(asUser(cyd), { postId })).rejects.toEqual(failure('not_found'))
  }
  await expect(publish(cyd, { parentId: comment })).rejects.toEqual(failure('forbidden'))
  await expect(getPost(asAnonymous(), { postId: comment })).rejects.toEqual(failure('not_found'))

  await blockAccount(asUser(bob), { accountId: cyd })
  await expect(getPost(asUser(cyd), { postId: comment })).rejects.toEqual(failure('not_found'))
  await queues.deliver()
  await unblockAccount(asUser(bob), { accountId: cyd })
  await suspendAccount(asModerator(ada), { accountId: bob })
  await expect(getPost(asUser(cyd), { postId: comment })).rejects.toEqual(failure('not_found'))
})

test('an account reads the replies to its comment even if the thread is hidden from it, and only those', async () => {
  const { root, comment, reply } = await closedThread()
  const other = await publishedId(ada, { parentId: root })
  const answer = await publishedId(ada, { parentId: reply })
  await blockAccount(asUser(bob), { accountId: cyd })
  await deletePost(asUser(ada), { postId: root })
  await queues.deliver()
  expect(await getPost(asUser(bob), { postId: reply })).toMatchObject({ parentId: comment, commentCount: 0 })
  for (const postId of [other, answer]) {
    await expect(getPost(asUser(bob), { postId })).rejects.toEqual(failure('not_found'))
  }
})

test('a mentioned account reads a followers-only post without following its author', async () => {
  const postId = await publishedId(bob, { visibility: 'followers', text: `to @${handleOf(ada)} and https://a.test/1` })
  const comment = await publishedId(ada, { parentId: postId })
  await queues.deliver()
  expect(await getPost(asUser(ada), { postId })).toMatchObject({ visibility: 'followers', commentCount: 1 })
  expect(await commentIds(ada, postId)).toEqual([comment])
  await expect(getPost(asUser(cyd), { postId })).rejects.toEqual(failure('not_found'))
  await blockAccount(asUser(ada), { accountId: bob })
  await queues.deliver()
  await expect(getPost(asUser(ada), { postId })).rejects.toEqual(failure('not_found'))
})

test('deleting a root deletes the lists of its whole thread, even if the event of a reply arrives later', async () => {
  const root = await publishedId(ada)
  const comment = await publishedId(bob, { parentId: root })
  const early = await publishedId(cyd, { parentId: comment })
  await queues.deliver()
  const late = await publishedId(ada, { parentId: comment })
  const delayed = await queues.delayMessages({ run: true })
  expect(await countRows('thread_index', { thread_id: comment })).toBe(1)
  await deletePost(asUser(ada), { postId: root })
  await queues.deliver({ times: 2 })
  queues.sent.push(...delayed)
  await queues.deliver({ times: 2 })
  for (const threadId of [root, comment]) expect(await countRows('thread_index', { thread_id: threadId })).toBe(0)
  expect(await count(`select coalesce(sum(comment_count), 0) n from posts where id = ${Number(comment)}`)).toBe(0)
  expect([await ownCommentIds(bob), await ownCommentIds(cyd), await ownCommentIds(ada)]).toEqual([
    [comment],
    [early],
    [late],
  ])
})

test('the list of a deleted post is deleted in steps', async () => {
  const [root] = (await seedPosts([ada])) as [Id]
  const comments = await seedPosts(Array.from({ length: 250 }, (_, i) => (i % 2 ? bob : cyd)))
  const rows = comments.map((id) => ({ thread_id: Number(root), post_id: Number(id) }))
  await insertByShard('thread_index', rows, () => root)
  await deletePost(asUser(ada), { postId: root })
  await queues.deliver()
  expect(await countRows('thread_index', { thread_id: root })).toBe(0)
})
