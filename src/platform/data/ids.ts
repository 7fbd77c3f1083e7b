import { z } from '@hono/zod-openapi'
import { type SQL, sql } from 'drizzle-orm'
import { customType } from 'drizzle-orm/sqlite-core'

const EPOCH = Date.UTC(2025, 0, 1)
const TICK_MS = 10
const SHARDS = 64
const RANDOM = 512

/** How many databases an id can tell apart. */
export const MAX_SHARDS = SHARDS

/**
 * A 53-bit integer as a decimal string: 38 bits of 10 ms ticks since 2025-01-01, 6 bits of shard, 9 random bits.
 * Sorted by time; an id alone says which database holds the thing. D1 rounds larger integers silently.
 */
export const Id = z
  .string()
  .regex(/^[1-9]\d{0,15}$/, 'must be a decimal id')
  .refine((text) => Number.isSafeInteger(Number(text)), 'must fit 53 bits')
  .brand<'Id'>()
  .openapi({ type: 'string', pattern: '^[1-9]\\d{0,15}$', maxLength: 16, example: '1970324836974593' })
export type Id = z.infer<typeof Id>

/** An id column: INTEGER in the database, a decimal string everywhere else. */
export const id = customType<{ data: Id; driverData: number }>({
  dataType: () => 'integer',
  toDriver: Number,
  fromDriver: toId,
})

/** The decimal string of an integer that the database or the id layout vouches for. */
export function toId(value: number): Id {
  return String(value) as Id
}

/** A new id in `shard`, sorted at `now` (epoch ms). Two made in one tick clash once in 512: see `withFreshId`. */
export function newId(shard: number, now: number): Id {
  return idOf(shard, now, crypto.getRandomValues(new Uint16Array(1))[0]!)
}

/** The id of these parts: `shard`, `now` (epoch ms) and `random`, of which 9 bits count. */
export function idOf(shard: number, now: number, random: number): Id {
  return toId(Number(firstIdAt(now)) + shard * RANDOM + (random % RANDOM))
}

/** The smallest id that could be made at `now` (epoch ms), for comparisons by age. */
export function firstIdAt(now: number): Id {
  return toId(Math.floor((now - EPOCH) / TICK_MS) * SHARDS * RANDOM)
}

/** The next id of the same shard, in SQL: past the last of a tick it is the first of the next. */
export function idAfter(last: SQL): SQL {
  const [end, leap] = [sql.raw(String(RANDOM - 1)), sql.raw(String(SHARDS * RANDOM - RANDOM + 1))]
  return sql`${last} + iif(${last} % ${sql.raw(String(RANDOM))} = ${end}, ${leap}, 1)`
}

/** The number of the shard that holds the thing with this id. Division, since JS bit operators stop at 32 bits. */
export function shardOf(id: Id): number {
  return Math.floor(Number(id) / RANDOM) % SHARDS
}

/** When the id was made, epoch ms, to the tick. */
export function timeOf(id: Id): number {
  return Math.floor(Number(id) / (SHARDS * RANDOM)) * TICK_MS + EPOCH
}

/** Sorts newest first: ids are compared as numbers, since as text '9' would follow '10'. */
export function newestFirst(a: Id, b: Id): number {
  return Number(b) - Number(a)
}
