import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { type Id, idOf, shardOf } from '../../src/platform/data/ids.ts'
import { accounts, followers, follows } from '../../src/services/accounts/tables.ts'
import { notificationMarkers, notifications } from '../../src/services/notifications/tables.ts'
import type { Graph } from './graph.ts'
import { makeProfile, type Person } from './people.ts'
import { type Random, sample } from './random.ts'

export const DAY_MS = 86_400_000
/** Posts are published in this many days before `until`. All accounts were created before. */
export const DAYS = 30
const JOINING_DAYS = 300
/** Only events in the last seven days before `until` create notifications. Some of these are marked as read. */
const NOTIFIED_DAYS = 7
const STRANGERS = 0.15

export type Plan = {
  graph: Graph
  posts: number
  random: Random
  /** All activity is earlier than this time (epoch ms). */
  until: number
  /** `openShards` are the shards that take new accounts, `shards` are all shards. */
  openShards: readonly number[]
  shards: readonly number[]
  /** Handles that already exist. */
  taken: ReadonlySet<string>
}

/** A row, its table, and the binding of its database. */
export type Entry = { database: string; table: SQLiteTable; row: Record<string, unknown> }

export const entry = <T extends SQLiteTable>(database: string, table: T, row: T['$inferInsert']): Entry => ({
  database,
  table,
  row,
})
export const shardNamed = (shard: number) => `SHARD_${shard}`

/** The generated people with their follows, and what is needed to generate their posts. */
export type Community = Plan & {
  people: readonly Person[]
  /** The id of each account, by handle. */
  accountIds: ReadonlyMap<string, Id>
  newId: (shard: number, time: number) => Id
}

export function makeCommunity(plan: Plan): Community {
  const { graph, random, until, openShards } = plan
  const taken = new Set(plan.taken)
  const newId = idMaker(random)
  const step = (JOINING_DAYS * DAY_MS) / graph.length
  const people = graph.map((follows, number): Person => {
    const joinedAt = Math.floor(until - (DAYS + JOINING_DAYS) * DAY_MS + (number + random.next()) * step)
    const shard = random.pick(openShards)
    const profile = makeProfile(random, taken)
    return {
      ...profile,
      id: newId(shard, joinedAt),
      shard,
      joinedAt,
      follows,
      followers: [],
      postCount: 0,
      publicPostCount: 0,
    }
  })
  for (const [number, { follows }] of people.entries()) {
    for (const followed of follows) people[followed]!.followers.push(number)
  }
  return { ...plan, people, newId, accountIds: new Map(people.map(({ handle, id }) => [handle, id])) }
}

/** Returns a function that makes unique ids. If an id is taken, it tries ids of a slightly later time. */
function idMaker(random: Random) {
  const used = new Set<Id>()
  return (shard: number, time: number): Id => {
    let id = idOf(shard, time, random.below(512))
    for (; used.has(id); time += 10) id = idOf(shard, time, random.below(512))
    used.add(id)
    return id
  }
}

/** The rows of the follows, on the shards of both accounts, and their notifications. */
export function* followRows(community: Community): Generator<Entry> {
  const { people, random, until, newId } = community
  for (const person of people) {
    const { id: followerId } = person
    yield entry(shardNamed(person.shard), follows, { followerId, id: followerId, followeeId: followerId })
    for (const number of person.follows) {
      const { id: followeeId, shard } = people[number]!
      const time = until - random.below(DAYS * DAY_MS)
      const id = newId(person.shard, time)
      yield entry(shardNamed(person.shard), follows, { followerId, id, followeeId })
      yield entry(shardNamed(shard), followers, { accountId: followeeId, followerId, id })
      yield* notificationOf(community, followeeId, { kind: 'follow', actorId: followerId, postId: null, time })
    }
  }
}

/** The rows of the accounts and their read markers. Call it last: it needs the post counts of all generated posts. */
export function* accountRows({ people, random, until }: Community): Generator<Entry> {
  for (const person of people) {
    const { id, handle, displayName, bio, joinedAt: createdAt, postCount, publicPostCount } = person
    yield entry(shardNamed(person.shard), accounts, {
      id,
      handle,
      displayName,
      bio,
      createdAt,
      followerCount: person.followers.length,
      followingCount: person.follows.length,
      postCount,
      publicPostCount,
    })
    yield entry(shardNamed(person.shard), notificationMarkers, {
      accountId: id,
      readAt: until - random.below(2 * DAY_MS),
    })
  }
}

type NotificationInput = Pick<typeof notifications.$inferInsert, 'kind' | 'actorId' | 'postId'> & {
  time: number
  id?: Id
}

/** The notification of an event, unless the event is too old or was caused by the account itself. */
export function* notificationOf(
  community: Community,
  accountId: Id,
  { time, id, ...about }: NotificationInput,
): Generator<Entry> {
  const { until, newId, random } = community
  if (accountId === about.actorId || time < until - NOTIFIED_DAYS * DAY_MS) return
  // A notification has the id of its event or like. The shard of an event does not matter here, so it is always 0.
  const arrivedAt = time + 50 + random.below(900)
  yield entry(shardNamed(shardOf(accountId)), notifications, {
    accountId,
    id: id ?? newId(0, time),
    ...about,
    arrivedAt,
  })
}

/** At most `count` people who saw a post of `author`: followers, and some strangers if `isPublic`. */
export function readers({ people, random }: Community, author: number, count: number, isPublic: boolean): number[] {
  const followers = sample(random, people[author]!.followers, count)
  const seen = followers.map((number) => (isPublic && random.chance(STRANGERS) ? random.below(people.length) : number))
  return [...new Set(seen)].filter((number) => number !== author)
}
