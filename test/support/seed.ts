import { env } from 'cloudflare:workers'
import { type Id, shardOf, toId } from '../../src/platform/data/ids.ts'
import { objectKey } from '../../src/services/media/objects.ts'
import { insertByShard, insertRows, shards, unusedId } from './databases.ts'

// Inserts the rows that verbs and their events would leave, without running the verbs or sending events.

/** Inserts each follow and its mirror on the followee's shard, but does not update counts. */
export async function seedFollows(pairs: readonly (readonly [follower: Id, followee: Id])[]): Promise<void> {
  const start = Date.now() - pairs.length * 10
  const rows = pairs.map(([follower, followee], i) => ({
    follower_id: Number(follower),
    id: Number(unusedId(shardOf(follower), start + i * 10)),
    followee_id: Number(followee),
  }))
  const mirrored = rows.map(({ id, ...row }) => ({ account_id: row.followee_id, follower_id: row.follower_id, id }))
  await insertByShard('follows', rows, (row) => row.follower_id)
  await insertByShard('followers', mirrored, (row) => row.account_id)
}

/** Inserts likes and their copies, but does not update counts. The times are 10 ms apart, up to now. */
export async function seedLikes(pairs: readonly (readonly [account: Id, post: Id])[]): Promise<void> {
  const start = Date.now() - pairs.length * 10
  const rows = pairs.map(([account, post], i) => ({
    post_id: Number(post),
    account_id: Number(account),
    id: Number(unusedId(shardOf(post), start + i * 10)),
  }))
  for (const table of ['likes', 'post_likers']) await insertByShard(table, rows, (row) => row.post_id)
  await insertByShard('liked_posts', rows, (row) => row.account_id)
}

/** Inserts one post per entry of `authors`. The times are 10 ms apart, up to `until` (epoch ms). */
export async function seedPosts(
  authors: readonly Id[],
  { visibility = 'public', until = Date.now() }: { visibility?: 'public' | 'followers'; until?: number } = {},
): Promise<Id[]> {
  const start = until - authors.length * 10
  const ids = authors.map((author, i) => unusedId(shardOf(author), start + i * 10))
  const posts = ids.map((id, i) => ({
    id: Number(id),
    author_id: Number(authors[i]),
    text: 'a post of the tests',
    visibility,
    media: '[]',
  }))
  const index = posts.map(({ id, author_id }) => ({ author_id, lane: 0, post_id: id }))
  await insertByShard('posts', posts, (row) => row.author_id)
  for (const db of shards) await insertRows(db, 'feed_index', index)
  if (visibility === 'public') {
    const own = index.map((row) => ({ ...row, lane: 2 }))
    await insertByShard('feed_index', own, (row) => row.author_id)
    const listed = posts.map(({ id, author_id }) => ({ post_id: id, author_id }))
    await insertRows(env.INDEX, 'public_posts', listed)
  }
  return ids
}

const imageFields = { alt: '', width: 1, height: 1, placeholder: '' }

/** Stores one image per entry of `owners`. The i-th image is attached to the i-th post, if there is one. */
export async function seedImages(owners: readonly Id[], posts: readonly Id[] = []): Promise<Id[]> {
  const start = Date.now() - owners.length * 10
  const rows = owners.map((owner, i) => ({
    id: Number(unusedId(shardOf(owner), start + i * 10)),
    account_id: Number(owner),
    post_id: posts[i] === undefined ? null : Number(posts[i]),
    ...imageFields,
  }))
  await insertByShard('media', rows, (row) => row.account_id)
  const ids = rows.map(({ id }) => toId(id))
  await Promise.all(ids.map((id) => env.MEDIA.put(objectKey(id, 'image'), 'bytes')))
  return ids
}
