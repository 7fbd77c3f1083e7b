import { env } from 'cloudflare:workers'
import { type Id, newId, shardOf, toId } from '../../src/platform/data/ids.ts'
import { objectKey } from '../../src/services/media/objects.ts'
import { shards } from './town.ts'

const CHUNK = 2_000

export type Row = Record<string, string | number | null>

/** Puts rows into a table as they are, thousands in a statement: the keys are the columns. */
export async function insertRows(db: D1Database, table: string, rows: readonly Row[]): Promise<void> {
  for (let at = 0; at < rows.length; at += CHUNK) {
    const chunk = rows.slice(at, at + CHUNK)
    const columns = Object.keys(chunk[0]!)
    const values = columns.map((column) => `value ->> '$.${column}'`)
    await db
      .prepare(`INSERT OR IGNORE INTO ${table} (${columns}) SELECT ${values} FROM json_each(?)`)
      .bind(JSON.stringify(chunk))
      .run()
  }
}

/** The same for rows that lie on the shard of whom `owner` names. */
export async function insertByShard(table: string, rows: readonly Row[], owner: (row: Row) => unknown): Promise<void> {
  for (const [n, mine] of Map.groupBy(rows, (row) => shardOf(String(owner(row)) as Id))) {
    await insertRows(shards[n]!, table, mine)
  }
}

/** People with accounts and handles, the i-th on shard `on(i)`; they cannot log in. */
export async function seedPeople(
  prefix: string,
  count: number,
  on: (i: number) => number,
): Promise<{ id: Id; handle: string }[]> {
  const people = Array.from({ length: count }, (_, i) => ({ id: unusedId(on(i)), handle: `${prefix}${i}` }))
  const now = Date.now()
  await insertByShard(
    'accounts',
    people.map(({ id, handle }) => ({ id: Number(id), handle, display_name: handle, created_at: now })),
    (row) => row.id,
  )
  await insertByShard(
    'follows',
    people.map(({ id }) => ({ follower_id: Number(id), followee_id: Number(id) })),
    (row) => row.follower_id,
  )
  await insertRows(
    env.DIRECTORY,
    'handles',
    people.map(({ id, handle }) => ({ handle, account_id: Number(id), address: handle })),
  )
  return people
}

const taken = new Set<Id>()

/** An id that nothing made here has yet: of that moment, or of one before when it has few left. */
function unusedId(shard: number, at = Date.now()): Id {
  for (let tries = 0; ; tries++) {
    const id = newId(shard, at - 10 * Math.floor(tries / 10))
    if (taken.has(id)) continue
    taken.add(id)
    return id
  }
}

/** Follows, on both sides. */
export async function seedFollows(pairs: readonly (readonly [follower: Id, followee: Id])[]): Promise<void> {
  const rows = pairs.map(([follower, followee]) => ({ follower_id: Number(follower), followee_id: Number(followee) }))
  const mirrored = rows.map((row) => ({ account_id: row.followee_id, follower_id: row.follower_id }))
  await insertByShard('follows', rows, (row) => row.follower_id)
  await insertByShard('followers', mirrored, (row) => row.account_id)
}

type Posts = { visibility?: 'public' | 'followers'; images?: readonly Id[] }

/** One post of each of `authors`, in that order of time, the last one now; the i-th with the i-th image. */
export async function seedPosts(
  authors: readonly Id[],
  { visibility = 'public', images = [] }: Posts = {},
): Promise<Id[]> {
  const start = Date.now() - authors.length * 10
  const ids = authors.map((author, i) => unusedId(shardOf(author), start + i * 10))
  const posts = ids.map((id, i) => ({
    id: Number(id),
    author_id: Number(authors[i]),
    text: 'a post of the tests',
    visibility,
    media: JSON.stringify(images[i] ? [{ id: images[i], ...measures }] : []),
  }))
  const index = posts.map(({ id, author_id }) => ({ author_id, lane: 0, post_id: id }))
  await insertByShard('posts', posts, (row) => row.author_id)
  for (const db of shards) await insertRows(db, 'feed_index', index)
  if (visibility === 'public') {
    const listed = posts.map(({ id, author_id }) => ({ post_id: id, author_id }))
    await insertRows(env.INDEX, 'public_posts', listed)
  }
  return ids
}

const measures = { alt: '', width: 1, height: 1, placeholder: '' }

/** One image of each owner, as uploads leave them; the i-th is the i-th post's, if there is one. */
export async function seedImages(owners: readonly Id[], posts: readonly Id[] = []): Promise<Id[]> {
  const rows = owners.map((owner, i) => ({
    id: Number(unusedId(shardOf(owner), Date.now() - i * 10)),
    account_id: Number(owner),
    post_id: posts[i] === undefined ? null : Number(posts[i]),
    ...measures,
  }))
  await insertByShard('media', rows, (row) => row.account_id)
  const ids = rows.map(({ id }) => toId(id))
  await Promise.all(ids.map((id) => env.MEDIA.put(objectKey(id, 'image'), 'bytes')))
  return ids
}
