import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { getTableName } from 'drizzle-orm'
import { afterAll, describe, expect, test } from 'vitest'
import { migrateLocally, withDatabases } from '../../scripts/databases.ts'
import { cryptoConfig } from '../../scripts/keyring.ts'
import { accountRows, type Community, type Entry, followRows, makeCommunity } from '../../scripts/seed/community.ts'
import { conversations } from '../../scripts/seed/conversations.ts'
import { growGraph, readGraph } from '../../scripts/seed/graph.ts'
import { loginRows } from '../../scripts/seed/logins.ts'
import { makeRandom } from '../../scripts/seed/random.ts'
import { shardOf, timeOf } from '../../src/platform/data/ids.ts'
import { openFor } from '../../src/platform/security/account-keys.ts'
import { blindIndex } from '../../src/platform/security/crypto.ts'
import type { accounts, follows } from '../../src/services/accounts/tables.ts'
import type { feedIndex } from '../../src/services/feed/tables.ts'
import { EMAIL } from '../../src/services/identity/email.ts'
import type { users as usersTable } from '../../src/services/identity/tables.ts'
import type { notifications } from '../../src/services/notifications/tables.ts'
import type { likes, posts, threadIndex } from '../../src/services/posts/tables.ts'
import { memoryBucket } from '../support/memory-bucket.ts'

const UNTIL = Date.UTC(2026, 5, 1)
const secrets = { DATA_KEYS: `k1:${btoa('k'.repeat(32))}`, INDEX_KEY: btoa('i'.repeat(32)) }
const config = cryptoConfig(secrets)
const KEYS = memoryBucket()
const folder = mkdtempSync(join(tmpdir(), 'seed-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function rowsOf(
  randomSeed: number,
  { posts = 300, taken = [] as string[] } = {},
): Promise<{ community: Community; entries: Entry[] }> {
  const random = makeRandom(randomSeed)
  const shards = [0, 1]
  const community = makeCommunity({
    graph: growGraph(random, 80),
    posts,
    random,
    until: UNTIL,
    openShards: shards,
    shards,
    taken: new Set(taken),
  })
  const entries = [
    ...followRows(community),
    ...[...conversations(community)].flat(),
    ...accountRows(community),
    ...(await loginRows(community, config, KEYS)),
  ]
  return { community, entries }
}

/** A hash of the rows without the sealed addresses, because each encryption gives a different result. */
function digest(entries: Entry[]): string {
  const lines = entries.map(({ database, table, row: { sealedAddress, ...row } }) =>
    JSON.stringify([database, getTableName(table), row]),
  )
  return createHash('sha256').update(lines.join('\n')).digest('hex')
}

const { community, entries } = await rowsOf(1, { posts: 4_000 })
type Placed<T> = T & { database: string }
function all<T>(table: string): Placed<T>[] {
  const mine = entries.filter((entry) => getTableName(entry.table) === table)
  return mine.map(({ database, row }) => ({ ...row, database }) as Placed<T>)
}
const allAccounts = all<typeof accounts.$inferSelect>('accounts')
const allFollows = all<typeof follows.$inferSelect>('follows')
const allPosts = all<typeof posts.$inferSelect>('posts')
const allLikes = all<typeof likes.$inferSelect>('likes')
const byId = new Map(allPosts.map((post) => [post.id, post]))
const following = new Set(allFollows.map(({ followerId, followeeId }) => `${followerId} ${followeeId}`))

/** Whether the account may see the post and its root, or the post mentions it. */
function maySee(accountId: string, postId: string): boolean {
  const post = byId.get(postId as never)!
  if (post.entities.some((entity) => entity.kind === 'mention' && entity.accountId === accountId)) return true
  if (post.rootId && !maySee(accountId, post.rootId)) return false
  return post.rootId !== null || post.visibility === 'public' || following.has(`${accountId} ${post.authorId}`)
}

describe('a community', () => {
  test('is the same for the same random seed and different for another seed', async () => {
    const once = digest((await rowsOf(1)).entries)
    expect(digest((await rowsOf(1)).entries)).toBe(once)
    expect(digest((await rowsOf(2)).entries)).not.toBe(once)
  })

  test('encrypts each email address so that the Worker can decrypt it and find it by its blind index', async () => {
    const users = all<typeof usersTable.$inferSelect>('users')
    expect(users).toHaveLength(80)
    for (const { id, email, sealedAddress } of users.slice(0, 5)) {
      const address = (await openFor({ env: { KEYS }, config }, id, sealedAddress, EMAIL))!
      expect(address).toBe(`${community.people.find((person) => person.id === id)!.handle}@people.example`)
      expect(email).toBe(`${await blindIndex(config, 'email', address)}@index.invalid`)
    }
  })

  test('skips handles that are already taken, and its account ids do not depend on the taken handles', async () => {
    const others = community.people.slice(0, 20).map(({ handle }) => handle)
    const { people } = (await rowsOf(1, { taken: others })).community
    expect(people.filter(({ handle }) => others.includes(handle))).toEqual([])
    expect(people.map(({ id }) => id)).toEqual(community.people.map(({ id }) => id))
  })

  test('has a few people with many followers and many people with few', () => {
    const followed = growGraph(makeRandom(3), 2_000).flat()
    const counts = [...Map.groupBy(followed, (number) => number).values()].map(({ length }) => length)
    const sorted = counts.sort((a, b) => b - a)
    expect(sorted[0]).toBeGreaterThan(30 * sorted[1_000]!)
  })

  test('stores posts on the author’s shard, follows on the follower’s, and dates posts within the last 30 days', () => {
    for (const { id, database, authorId } of allPosts) {
      expect(database).toBe(`SHARD_${shardOf(id)}`)
      expect(shardOf(authorId)).toBe(shardOf(id))
      expect(timeOf(id)).toBeLessThan(UNTIL)
      expect(timeOf(id)).toBeGreaterThanOrEqual(UNTIL - 30 * 86_400_000)
    }
    for (const { followerId, database } of allFollows) expect(database).toBe(`SHARD_${shardOf(followerId)}`)
  })

  test('has counts that equal the rows they count', () => {
    const count = <T>(rows: T[], owner: (row: T) => string | null) => Map.groupBy(rows, owner)
    const real = allFollows.filter(({ followerId, followeeId }) => followerId !== followeeId)
    const [followed, follow] = [count(real, (row) => row.followeeId), count(real, (row) => row.followerId)]
    const written = count(
      allPosts.filter(({ rootId }) => rootId === null),
      (row) => row.authorId,
    )
    const open = count(
      allPosts.filter(({ rootId, visibility }) => rootId === null && visibility === 'public'),
      (row) => row.authorId,
    )
    for (const { id, followerCount, followingCount, postCount, publicPostCount } of allAccounts) {
      const counts = [followed, follow, written, open].map((groups) => groups.get(id)?.length ?? 0)
      expect([followerCount, followingCount, postCount, publicPostCount]).toEqual(counts)
    }
    const liked = count(allLikes, (row) => row.postId)
    const threads = count(all<typeof threadIndex.$inferSelect>('thread_index'), (row) => row.threadId)
    for (const { id, likeCount, commentCount } of allPosts) {
      expect([likeCount, commentCount]).toEqual([liked.get(id)?.length ?? 0, threads.get(id)?.length ?? 0])
    }
    expect(all('followers').length).toBe(real.length)
    expect(['post_likers', 'liked_posts'].map((table) => all(table).length)).toEqual([allLikes.length, allLikes.length])
  })

  test('lists posts in every feed index, comments only in that of their shard, and public posts in INDEX', () => {
    const lists = Map.groupBy(all<typeof feedIndex.$inferSelect>('feed_index'), (row) => row.postId)
    const open = new Set(all<{ postId: string }>('public_posts').map((row) => row.postId))
    for (const { id, rootId, visibility, database } of allPosts) {
      const listed = lists.get(id)!.map((row) => `${row.database} ${row.lane}`)
      const isOpen = !rootId && visibility === 'public'
      const own = isOpen ? [`${database} 2`] : []
      expect(listed).toEqual(rootId ? [`${database} 1`] : ['SHARD_0 0', 'SHARD_1 0', ...own])
      expect(open.has(id)).toBe(isOpen)
    }
  })

  test('has no like, comment or notification of an account that may not see the post', () => {
    for (const { accountId, postId } of allLikes) expect(maySee(accountId, postId)).toBe(true)
    for (const { authorId, parentId } of allPosts) if (parentId) expect(maySee(authorId, parentId)).toBe(true)
    const received = all<typeof notifications.$inferSelect>('notifications')
    expect(new Set(received.map(({ kind }) => kind))).toEqual(new Set(['follow', 'like', 'comment', 'mention']))
    for (const { accountId, actorId, postId } of received) {
      expect(accountId).not.toBe(actorId)
      if (postId) expect(maySee(accountId, postId)).toBe(true)
    }
  })

  test('has mention entities whose range in the text is the handle of an existing account', () => {
    const mentions = allPosts.flatMap((post) =>
      post.entities.flatMap((entity) => (entity.kind === 'mention' ? [{ ...entity, post }] : [])),
    )
    expect(mentions.length).toBeGreaterThan(20)
    for (const { post, start, end, handle, accountId } of mentions) {
      expect(Array.from(post.text).slice(start, end).join('')).toBe(`@${handle}`)
      expect(community.accountIds.get(handle)).toBe(accountId)
    }
  })
})

test('each pair in an edge list, plain or gzipped, makes two people follow each other', () => {
  const list = '# a comment\n7 3\n3\t9\n\n7 3\n5 5\n'
  const [plain, zipped] = [join(folder, 'graph.txt'), join(folder, 'graph.txt.gz')]
  writeFileSync(plain, list)
  writeFileSync(zipped, gzipSync(list))
  expect(readGraph(plain)).toEqual([[1], [0, 2], [1], []])
  expect(readGraph(zipped)).toEqual(readGraph(plain))
  writeFileSync(plain, '1 2\nalone\n')
  expect(() => readGraph(plain)).toThrow(`${plain}:2 is not a pair: alone`)
})

describe('npm run seed', () => {
  const state = join(folder, 'state')
  const seed = () =>
    spawnSync(
      process.execPath,
      ['scripts/seed.ts', '--people', '40', '--posts', '200', '--until', '2026-06-01', '--persist-to', state],
      { encoding: 'utf8', env: { ...process.env, ...secrets } },
    )

  test('refuses databases that are not set up and says what to run', () => {
    const { status, stderr } = seed()
    expect([status, stderr]).toEqual([
      1,
      `The databases in ${state} are not set up: run npm start -- --persist-to ${state} once.\n`,
    ])
  })

  test('fills the databases, and refuses to add the same community twice', async () => {
    await migrateLocally(state)
    const first = seed()
    expect(first.stderr).toBe('')
    expect(first.stdout).toMatch(/^40 people and 200 posts: [\d,]+ rows in [\d.]+ s, [\d,]+ per second\.\n/)
    expect(await counts(state)).toMatchObject({ users: 40, handles: 40, credentials: 40, accounts: 40, posts: 200 })

    const second = seed()
    expect([second.status, second.stderr]).toEqual([
      1,
      'This community exists already: choose another, for example --random-seed 2\n',
    ])
    expect(await counts(state)).toMatchObject({ users: 40, posts: 200 })
  })
})

async function counts(state: string): Promise<Record<string, number>> {
  const queries = [
    ['users', 'DIRECTORY', 'SELECT count(*) n FROM users WHERE email_verified = 1'],
    ['handles', 'DIRECTORY', 'SELECT count(*) n FROM handles WHERE reserved_until IS NULL'],
    ['credentials', 'DIRECTORY', "SELECT count(*) n FROM credentials WHERE password LIKE '$argon2id$v=19$m=19456%'"],
    ['accounts', 'SHARD_0', 'SELECT count(*) n FROM accounts'],
    ['accounts', 'SHARD_1', 'SELECT count(*) n FROM accounts'],
    ['posts', 'SHARD_0', 'SELECT count(*) n FROM posts WHERE root_id IS NULL'],
    ['posts', 'SHARD_1', 'SELECT count(*) n FROM posts WHERE root_id IS NULL'],
  ] as const
  return withDatabases(state, async (databases) => {
    const found: Record<string, number> = {}
    for (const [name, database, query] of queries) {
      const row = await databases[database]!.prepare(query).first<{ n: number }>()
      found[name] = (found[name] ?? 0) + row!.n
    }
    return found
  })
}
