import { globSync, readFileSync } from 'node:fs'
import { unstable_splitSqlQuery } from 'wrangler'
import { type Id, newId, shardOf } from '../../src/platform/data/ids.ts'
import type { Tokens } from './tokens.ts'

/** Runs an SQL statement on a database. */
export type Store = (sql: string, ...values: string[]) => unknown
type Post = { id: Id; authorId: Id }
type Follow = { followerId: Id; followeeId: Id }

const ACCOUNTS = 2_000
const POSTS = 20_000
const SHARDS = [0, 1]
const READERS = 100
const NOTIFICATIONS = 60
const ROWS_PER_STATEMENT = 2_000
const MONTH_MS = 30 * 86_400_000
const TEXT = 'The tide was out and the bay lay open, so we walked to the island and were back before the rain came in.'

/** How many accounts a reader of a home feed follows. There are a hundred readers for each of these numbers. */
export const followings = [50, 200, 500] as const
type Following = (typeof followings)[number]

export type Community = {
  accounts: Id[]
  posts: Post[]
  follows: Follow[]
  readers: Record<Following, Id[]>
  /** Readers who follow 200 accounts of their own shard. */
  neighbours: Id[]
}

/** Accounts and posts, spread over the last month and two shards. */
export function makeCommunity(): Community {
  const accounts = newIds(ACCOUNTS)
  const byShard = SHARDS.map((shard) => accounts.filter((id) => shardOf(id) === shard))
  const posts = newIds(POSTS).map((id) => ({ id, authorId: pick(byShard[shardOf(id)]!) }))
  const [some, more, most, neighbours] = [0, 1, 2, 3].map((i) => accounts.slice(i * READERS, (i + 1) * READERS))
  const readers = { 50: some!, 200: more!, 500: most! }
  const themselves = accounts.map((id) => ({ followerId: id, followeeId: id }))
  const others = followings.flatMap((n) => readers[n].flatMap((followerId) => someFollows(accounts, followerId, n)))
  const near = neighbours!.flatMap((followerId) => someFollows(byShard[shardOf(followerId)]!, followerId, 200))
  return { accounts, posts, follows: [...themselves, ...others, ...near], readers, neighbours: neighbours! }
}

/** Migrates the product's databases. Fills them with the community and with the public key that verifies the tokens. */
export async function seed(open: (binding: string) => Promise<Store>, community: Community, tokens: Tokens) {
  const directory = await open('DIRECTORY')
  await migrate(directory, 'directory')
  const [key] = tokens.jwks.keys
  const row = { id: key!.kid, public_key: JSON.stringify(key), private_key: '', alg: 'EdDSA', created_at: Date.now() }
  await insert(directory, 'jwks', [row])
  const index = await open('INDEX')
  await migrate(index, 'index')
  const everyPost = community.posts.map(({ id, authorId }) => ({ post_id: id, author_id: authorId }))
  await insert(index, 'public_posts', everyPost)
  await insert(index, 'post_search', everyPost.map(searchable))
  await insert(
    index,
    'account_search',
    community.accounts.map((rowid) => ({ rowid, handle: `person_${rowid}`, name: 'person', bio: '' })),
  )
  await migrate(await open('AUDIT'), 'audit')
  await migrate(await open('ANALYTICS'), 'analytics')
  for (const shard of SHARDS) {
    const store = await open(`SHARD_${shard}`)
    await migrate(store, 'shard')
    await fillShard(store, (id) => shardOf(id) === shard, community)
  }
}

/** Every tenth post has the hashtag of the benchmark. */
function searchable({ post_id: rowid }: { post_id: Id }, i: number) {
  return { rowid, text: TEXT, tags: i % 10 === 0 ? 'tides' : '', handle: '', facts: 'langen' }
}

/** Migrates the product's databases, and adds accounts with the handles `person_ID`. */
export async function seedPeople(open: (binding: string) => Promise<Store>, ids: readonly Id[]): Promise<void> {
  for (const name of ['directory', 'index', 'audit', 'analytics']) await migrate(await open(name.toUpperCase()), name)
  const handles = ids.map((id) => ({ handle: `person_${id}`, account_id: id, address: id }))
  await insert(await open('DIRECTORY'), 'handles', handles)
  for (const shard of SHARDS) {
    const store = await open(`SHARD_${shard}`)
    await migrate(store, 'shard')
    const people = ids.filter((id) => shardOf(id) === shard)
    await insert(
      store,
      'accounts',
      people.map((id) => ({ id, handle: `person_${id}`, display_name: `Person ${id}`, created_at: 0 })),
    )
  }
}

/** Makes the table that the one-row select reads. */
export async function seedRows(store: Store): Promise<void> {
  await store('CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT NOT NULL)')
  const rows = Array.from({ length: 1_000 }, (_, i) => ({ id: i + 1, text: TEXT }))
  await insert(store, 'rows', rows)
}

async function fillShard(store: Store, isHere: (id: Id) => boolean, { accounts, posts, follows, readers }: Community) {
  const people = accounts.filter(isHere)
  const following = follows.filter(({ followerId }) => isHere(followerId))
  const followed = follows.filter(({ followerId, followeeId }) => isHere(followeeId) && followerId !== followeeId)
  const recipients = Object.values(readers).flat().filter(isHere)
  const tables = {
    accounts: people.map((id) => ({ id, handle: `person_${id}`, display_name: `Person ${id}`, created_at: 0 })),
    follows: following.map((it) => ({ follower_id: it.followerId, id: it.followeeId, followee_id: it.followeeId })),
    followers: followed.map((it) => ({ account_id: it.followeeId, follower_id: it.followerId, id: it.followerId })),
    posts: posts
      .filter(({ id }) => isHere(id))
      .map((it) => ({ id: it.id, author_id: it.authorId, text: TEXT, visibility: 'public' })),
    feed_index: posts.flatMap((it) => {
      const row = { author_id: it.authorId, lane: 0, post_id: it.id }
      return isHere(it.id) ? [row, { ...row, lane: 2 }] : [row]
    }),
    notifications: recipients.flatMap((id) => notificationsOf(id, accounts, posts)),
  }
  for (const [table, rows] of Object.entries(tables)) await insert(store, table, rows)
}

const kinds = ['like', 'comment', 'mention', 'follow']

function notificationsOf(account_id: Id, accounts: Id[], posts: Post[]) {
  const actors = accounts.filter((id) => id !== account_id)
  const start = Math.floor(Math.random() * (actors.length - NOTIFICATIONS))
  const first = Math.floor(Math.random() * posts.length) // a post notifies an account once of a comment or mention
  return newIds(NOTIFICATIONS).map((id, i) => {
    const kind = kinds[i % kinds.length]!
    const post_id = kind === 'follow' ? null : posts[(first + i) % posts.length]!.id
    return { account_id, id, kind, actor_id: actors[start + i]!, post_id, arrived_at: 1 }
  })
}

/** Inserts rows. Their ids may be strings, which SQLite converts because the columns are integer columns. */
async function insert(store: Store, table: string, rows: Record<string, unknown>[]): Promise<void> {
  if (rows.length === 0) return
  const columns = Object.keys(rows[0]!)
  const values = columns.map((column) => `value ->> '${column}'`)
  const statement = `INSERT INTO ${table} (${columns}) SELECT ${values} FROM json_each(?)`
  for (let at = 0; at < rows.length; at += ROWS_PER_STATEMENT) {
    await store(statement, JSON.stringify(rows.slice(at, at + ROWS_PER_STATEMENT)))
  }
}

async function migrate(store: Store, folder: string): Promise<void> {
  for (const file of globSync(`migrations/${folder}/*.sql`).sort()) {
    for (const statement of unstable_splitSqlQuery(readFileSync(file, 'utf8'))) await store(statement)
  }
}

export function newIds(count: number): Id[] {
  const ids = new Set<Id>()
  while (ids.size < count) ids.add(newId(ids.size % SHARDS.length, Date.now() - Math.random() * MONTH_MS))
  return [...ids]
}

export function someFollows(accounts: readonly Id[], followerId: Id, count: number): Follow[] {
  const chosen = new Set<Id>()
  while (chosen.size < count) chosen.add(pick(accounts))
  chosen.delete(followerId)
  return [...chosen].map((followeeId) => ({ followerId, followeeId }))
}

export function pick<T>(list: readonly T[]): T {
  return list[Math.floor(Math.random() * list.length)]!
}
