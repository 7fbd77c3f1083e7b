import { expect, test } from 'vitest'
import { type Id, shardOf, toId } from '../../../src/platform/data/ids.ts'
import { LIKES_TO_SORT, mirrorLike } from '../../../src/services/posts/like-mirrors.ts'
import { likePost, listLikes, unlikePost } from '../../../src/services/posts/likes.ts'
import { accountsOn, bulkIds } from '../../support/actors.ts'
import { expectWithin } from '../../support/budgets.ts'
import { countRows, insertRows, shardHolding, unusedId } from '../../support/databases.ts'
import { queues } from '../../support/manual-queues.ts'
import { publishedId } from '../../support/posting.ts'
import { asAnonymous, asUser, idsOf } from '../../support/viewers.ts'

async function likeIdOf(account: Id, post: Id): Promise<Id> {
  const found = shardHolding(post).prepare('SELECT id FROM likes WHERE post_id = ? AND account_id = ?')
  return toId((await found.bind(Number(post), Number(account)).first<{ id: number }>())!.id)
}

test('mirroring a like to another shard takes two round trips and writes one row, and on one shard nothing is left to do', async () => {
  for (const [author, actor] of [await accountsOn(0, 0), await accountsOn(0, 1)]) {
    const post = await publishedId(author)
    await likePost(asUser(actor), { postId: post })
    const id = await likeIdOf(actor, post)
    const isNear = shardOf(author) === shardOf(actor)
    expect(await countRows('liked_posts', { account_id: actor, id })).toBe(isNear ? 1 : 0)
    const ctx = queues.context()
    await mirrorLike(ctx, { postId: post, actorId: actor, likeId: id }, id)
    expect(ctx.cost).toMatchObject(isNear ? { trips: 0 } : { trips: 2, rowsWritten: 1 })
    expect(await countRows('liked_posts', { account_id: actor, id })).toBe(1)
    await queues.deliver()
  }
})

test('the hundredth like copies all likes once, and each later one lists itself', async () => {
  const [author, first, second, third] = await accountsOn(0, 1, 0, 1)
  const post = await publishedId(author)
  await countAsLiked(post, await bulkIds(LIKES_TO_SORT))
  await likePost(asUser(first), { postId: post })
  expect(await countRows('post_likers', { post_id: post })).toBe(0)
  await queues.deliver({ times: 2 })
  expect(await countRows('post_likers', { post_id: post })).toBe(LIKES_TO_SORT + 1)
  for (const actor of [second, third]) {
    const ctx = asUser(actor)
    await likePost(ctx, { postId: post })
    expectWithin('like', ctx.cost, { trips: 2, rowsRead: 24, rowsWritten: actor === second ? 6 : 5, queueMessages: 1 })
    expect(await countRows('post_likers', { post_id: post, account_id: actor })).toBe(1)
  }
  await unlikePost(asUser(second), { postId: post })
  expect(await countRows('post_likers', { post_id: post, account_id: second })).toBe(0)
  await queues.deliver({ times: 2 })
  expect(await countRows('post_likers', { post_id: post })).toBe(LIKES_TO_SORT + 2)
})

/** Lets these accounts like the post, without events. */
async function countAsLiked(post: Id, fans: readonly Id[]): Promise<void> {
  const newLike = () => Number(unusedId(shardOf(post)))
  const rows = fans.map((fan) => ({ post_id: Number(post), account_id: Number(fan), id: newLike() }))
  await insertRows(shardHolding(post), 'likes', rows)
  const counted = shardHolding(post).prepare('UPDATE posts SET like_count = like_count + ? WHERE id = ?')
  await counted.bind(fans.length, Number(post)).run()
}

test('the pages of the accounts that like a post are the same before and after the post has many likes', async () => {
  const [ada, bob] = await accountsOn(0, 1)
  const postId = await publishedId(ada)
  await queues.deliver()
  const fans = await bulkIds(LIKES_TO_SORT - 1)
  await countAsLiked(postId, fans)
  const pages = async () => {
    const first = await listLikes(asAnonymous(), { postId, limit: 50 })
    const second = await listLikes(asAnonymous(), { postId, limit: 50, cursor: first.nextCursor! })
    return [...idsOf(first), ...idsOf(second)]
  }
  expect(await pages()).toEqual(fans.toReversed())
  await likePost(asUser(bob), { postId })
  expect((await pages())[0]).toBe(bob)
  expect(await countRows('post_likers', { post_id: postId })).toBe(0)
  await queues.deliver({ times: 2 })
  expect(await countRows('post_likers', { post_id: postId })).toBe(LIKES_TO_SORT)
  expect(await pages()).toEqual([bob, ...fans.toReversed()])
})
