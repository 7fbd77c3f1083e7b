import { z } from '@hono/zod-openapi'
import { type SQL, sql } from 'drizzle-orm'
import { customType } from 'drizzle-orm/sqlite-core'

const EPOCH = Date.UTC(2025, 0, 1)
export const TICK_MS = 10
const SHARDS = 64
const RANDOM = 512
/** From the last id of a shard in a tick to its first one in the next tick. */
const NEXT_TICK = SHARDS * RANDOM - RANDOM + 1

/** 53 bits, because D1 rounds larger integers: 38 for ticks of 10 ms since 2025-01-01, 6 for the shard, 9 random. */
export const Id = z
  .string()
  .regex(/^[1-9]\d{0,15}$/, 'must be a decimal id')
  .refine((text) => Number.isSafeInteger(Number(text)), 'must fit 53 bits')
  .brand<'Id'>()
  .openapi('Id', { pattern: '^[1-9]\\d{0,15}$', maxLength: 16, example: '1970324836974593' })
export type Id = z.infer<typeof Id>

/** An id column: INTEGER in the database, a decimal string everywhere else. */
export const id = customType<{ data: Id; driverData: number }>({
  dataType: () => 'integer',
  toDriver: Number,
  fromDriver: toId,
})

/** Does not validate: use it only for integers from the database or from the functions of this file. */
export function toId(value: number): Id {
  return String(value) as Id
}

/** The latest id of each shard that this isolate created. */
const latest = new Map<number, number>()

/**
 * A new id that sorts by `now` (epoch ms), and after the earlier ones of this isolate and shard.
 * Ids that two isolates create in one tick and shard are equal once in 512: use `withFreshId`.
 */
export function newId(shard: number, now: number): Id {
  const drawn = Number(idOf(shard, now, crypto.getRandomValues(new Uint16Array(1))[0] ?? 0))
  const last = latest.get(shard) ?? 0
  const isClose = last >= drawn && last - drawn < 2 * SHARDS * RANDOM // not if the clock was set back
  const id = isClose ? last + (last % RANDOM === RANDOM - 1 ? NEXT_TICK : 1) : drawn
  latest.set(shard, id)
  return toId(id)
}

/** `now` is epoch ms; only 9 bits of `random` are used. */
export function idOf(shard: number, now: number, random: number): Id {
  return toId(Number(firstIdAt(now)) + shard * RANDOM + (random % RANDOM))
}

/** The smallest id that can be created at `now` (epoch ms), for comparisons by age. */
export function firstIdAt(now: number): Id {
  return toId(Math.floor((now - EPOCH) / TICK_MS) * SHARDS * RANDOM)
}

/** The next id of the same shard, in SQL; after the last id of a tick comes the first of the next tick. */
export function idAfter(last: SQL): SQL {
  const [end, leap] = [sql.raw(String(RANDOM - 1)), sql.raw(String(NEXT_TICK))]
  return sql`${last} + iif(${last} % ${sql.raw(String(RANDOM))} = ${end}, ${leap}, 1)`
}

/** The number of the shard that holds the record. Divides instead of shifting: JS bit operators are limited to 32 bits. */
export function shardOf(id: Id): number {
  return Math.floor(Number(id) / RANDOM) % SHARDS
}

/** When the id was created, epoch ms in steps of 10. */
export function timeOf(id: Id): number {
  return Math.floor(Number(id) / (SHARDS * RANDOM)) * TICK_MS + EPOCH
}

export function isoTimeOf(id: Id): string {
  return new Date(timeOf(id)).toISOString()
}
