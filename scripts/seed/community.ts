import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { type Id, idOf, shardOf } from '../../src/platform/data/ids.ts'
import { accounts, followers, follows } from '../../src/services/accounts/tables.ts'
import { notifications } from '../../src/services/notifications/tables.ts'
import type { Graph } from './graph.ts'
import { makeProfile, type Person } from './people.ts'
import { type Random, sample } from './random.ts'

export const DAY_MS = 86_400_000
/** Posts are of these last days; people had joined before. */
export const DAYS = 30
const JOINING_DAYS = 300
/** Only of the last days is there news: what the system would have told people, and they have partly read. */
const NEWS_DAYS = 7
const PASSER_BY = 0.15

export type Plan = {
  graph: Graph
  posts: number
  random: Random
  /** When the last thing happens, epoch ms. */
  until: number
  /** The shards that take new accounts, and those that there are. */
  openShards: readonly number[]
  shards: readonly number[]
  /** Handles that others hold. */
  taken: ReadonlySet<string>
}

/** A row and where it belongs: a binding of wrangler.toml. */
export type Entry = { database: string; table: SQLiteTable; row: Record<string, unknown> }

export const entry = <T extends SQLiteTable>(database: string, table: T, row: T['$inferInsert']): Entry => ({
  database,
  table,
  row,
})
export const shardNamed = (shard: number) => `SHARD_${shard}`

/** People, who follow each other, and what is needed to let things happen idIn them. */
export type Community = Plan & {
  people: readonly Person[]
  /** By handle, as the directory would answer. */
  accountIds: ReadonlyMap<string, Id>
  newId: (shard: number, time: number) => Id
}

export function foundCommunity(plan: Plan): Community {
  const { graph, random, until, openShards } = plan
  const taken = new Set(plan.taken)
  const newId = idMaker(random)
  const step = (JOINING_DAYS * DAY_MS) / graph.length
  const people = graph.map((follows, number): Person => {
    const joinedAt = Math.floor(until - (DAYS + JOINING_DAYS) * DAY_MS + (number + random.next()) * step)
    const shard = random.pick(openShards)
    const profile = makeProfile(random, taken)
    return { ...profile, id: newId(shard, joinedAt), shard, joinedAt, follows, followers: [], postCount: 0 }
  })
  for (const [number, { follows }] of people.entries()) {
    for (const followed of follows) people[followed]!.followers.push(number)
  }
  return { ...plan, people, newId, accountIds: new Map(people.map(({ handle, id }) => [handle, id])) }
}

/** Ids that never repeat. */
function idMaker(random: Random) {
  const used = new Set<Id>()
  return (shard: number, time: number): Id => {
    let id = idOf(shard, time, random.below(512))
    for (; used.has(id); time += 10) id = idOf(shard, time, random.below(512))
    used.add(id)
    return id
  }
}

/** Who follows whom, on both sides, and the news of it. */
export function* followRows(community: Community): Generator<Entry> {
  const { people, random, until } = community
  for (const person of people) {
    const { id: followerId } = person
    yield entry(shardNamed(person.shard), follows, { followerId, followeeId: followerId })
    for (const number of person.follows) {
      const { id: followeeId, shard } = people[number]!
      yield entry(shardNamed(person.shard), follows, { followerId, followeeId })
      yield entry(shardNamed(shard), followers, { accountId: followeeId, followerId })
      const time = until - random.below(DAYS * DAY_MS)
      yield* newsOf(community, followeeId, { kind: 'follow', actorId: followerId, postId: null, time })
    }
  }
}

/** The accounts, with their counts: to be written when everything else is there. */
export function* accountRows({ people, random, until }: Community): Generator<Entry> {
  for (const person of people) {
    const { id, handle, displayName, bio, joinedAt: createdAt, postCount } = person
    yield entry(shardNamed(person.shard), accounts, {
      id,
      handle,
      displayName,
      bio,
      createdAt,
      followerCount: person.followers.length,
      followingCount: person.follows.length,
      postCount,
      notificationsReadAt: until - random.below(2 * DAY_MS),
    })
  }
}

type NotificationInput = Pick<typeof notifications.$inferInsert, 'kind' | 'actorId' | 'postId'> & { time: number }

/** The notification of an event, if it is recent and not one's own doing. */
export function* newsOf(community: Community, accountId: Id, { time, ...news }: NotificationInput): Generator<Entry> {
  const { until, newId, random } = community
  if (accountId === news.actorId || time < until - NEWS_DAYS * DAY_MS) return
  // As the outbox numbers its events: by time alone.
  const id = newId(0, time)
  const arrivedAt = time + 50 + random.below(900)
  yield entry(shardNamed(shardOf(accountId)), notifications, { accountId, id, ...news, arrivedAt })
}

/** At most `count` people who saw what an author wrote: followers, and now and then a passer-by where all may see it. */
export function readers({ people, random }: Community, author: number, count: number, isPublic: boolean): number[] {
  const followers = sample(random, people[author]!.followers, count)
  const seen = followers.map((number) => (isPublic && random.chance(PASSER_BY) ? random.below(people.length) : number))
  return [...new Set(seen)].filter((number) => number !== author)
}
