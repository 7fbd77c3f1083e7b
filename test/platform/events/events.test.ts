import { env } from 'cloudflare:workers'
import { z } from '@hono/zod-openapi'
import { asc, sql } from 'drizzle-orm'
import * as fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { noCost } from '../../../src/platform/data/d1-session.ts'
import { openDatabases } from '../../../src/platform/data/databases.ts'
import { Id, idOf, shardOf, timeOf, toId } from '../../../src/platform/data/ids.ts'
import { type Committed, defineEvent, mirror, on, outbox, record } from '../../../src/platform/events/events.ts'
import { presence } from '../../../src/platform/realtime/presence.ts'
import { contextWith } from '../../support/platform.ts'

const happened = defineEvent('test.happened', z.object({ thingId: Id }))
const thingId = idOf(0, Date.UTC(2026, 0, 1), 1)
const committed: Committed[] = []
let clock = Date.UTC(2026, 5, 1)

const { shard: shardAt } = openDatabases(env, {
  cost: noCost(),
  now: () => clock,
  onCommit: (events) => committed.push(...events),
})
const shard = shardAt(0)
const insert = () => shard.insert(presence).values({ accountId: thingId }).onConflictDoNothing()
const rows = () => shard.select().from(outbox).orderBy(asc(outbox.id))

beforeEach(async () => {
  committed.length = 0
  await shard.batch([shard.delete(presence), shard.delete(outbox)])
})

test('an event is in the outbox once its change is committed, and is told of with its id', async () => {
  await shard.batch([insert(), record(shard, happened, { thingId })])
  const [row] = await rows()
  expect(timeOf(row!.id)).toBe(clock)
  expect(row).toEqual({ id: expect.any(String), type: 'test.happened', data: JSON.stringify({ thingId }) })
  expect(committed).toEqual([{ source: '0', id: row!.id, type: 'test.happened', data: { thingId } }])
})

test('events of two shards made in the same moment have different ids, since one account may be told of both', async () => {
  const other = shardAt(1)
  await other.delete(outbox)
  await shard.batch([record(shard, happened, { thingId })])
  await other.batch([record(other, happened, { thingId })])
  await other.delete(outbox)
  expect(committed.map((event) => shardOf(event.id))).toEqual([0, 1])
})

test('a conditional event is recorded only when the change before it was one', async () => {
  const changed = sql`changes() > 0`
  for (const times of [1, 1]) {
    await shard.batch([insert(), record(shard, happened, { thingId }, changed)])
    expect(committed).toHaveLength(times)
  }
  expect(await rows()).toHaveLength(1)
})

test('a batch that fails records nothing and tells nobody', async () => {
  await insert()
  const clash = shard.insert(presence).values({ accountId: thingId })
  await expect(shard.batch([record(shard, happened, { thingId }), clash])).rejects.toThrow()
  expect([await rows(), committed]).toEqual([[], []])
})

test('events never clash: many in one batch, many batches in one tick, or a clock that goes back', async () => {
  const three = () => [1, 2, 3].map(() => record(shard, happened, { thingId }))
  const batch = () => shard.batch(three() as [ReturnType<typeof record>])
  await batch()
  await Promise.all([batch(), batch(), batch()])
  clock -= 60_000
  await batch()
  clock += 120_000
  await batch()
  const ids = (await rows()).map((row) => row.id)
  expect(ids).toHaveLength(18)
  expect(new Set(committed.map((event) => event.id))).toEqual(new Set(ids))
  expect(timeOf(ids.at(-1)!)).toBe(clock)
})

test('an event after the last of its tick goes to the next tick of the same shard', async () => {
  const last = idOf(0, clock + 10, 511)
  await shard.insert(outbox).values({ id: last, type: 'test.happened', data: '{}' })
  await shard.batch([record(shard, happened, { thingId })])
  expect(committed.map((event) => event.id)).toEqual([idOf(0, clock + 20, 0)])
})

test('data that are not what the event declares are never recorded', () => {
  expect(() => record(shard, happened, { thingId: 'x' as Id })).toThrow()
})

test('a subscriber gets parsed data, and none that are wrong', async () => {
  const seen: unknown[] = []
  const ctx = contextWith()
  const subscription = on(happened, async (_, data, eventId) => void seen.push([data, eventId]))
  await subscription.handle(ctx, { thingId, more: 1 }, toId(5))
  expect(seen).toEqual([[{ thingId }, '5']])
  await expect(subscription.handle(ctx, { thingId: 5 }, toId(5))).rejects.toThrow()
})

/** Lets tasks go one step at a time, in the order that `choices` gives. */
async function interleave(choices: number[], start: (step: () => Promise<void>) => Promise<unknown>[]): Promise<void> {
  const waiting: (() => void)[] = []
  const step = () => new Promise<void>((resolve) => waiting.push(resolve))
  let open = true
  const done = Promise.all(start(step)).then(() => {
    open = false
  })
  for (let i = 0; open; i++) {
    for (let hop = 0; hop < 10; hop++) await null
    if (waiting.length > 0) waiting.splice(choices[i % choices.length]! % waiting.length, 1)[0]!()
  }
  await done
}

test('a mirror ends as the truth does, however its updates and the changes interleave', async () => {
  const choices = fc.array(fc.nat({ max: 20 }), { minLength: 1, maxLength: 40 })
  const changes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(choices, changes, async (order, values) => {
      let truth = 0
      let copy = -1
      await interleave(order, (step) =>
        values.map(async (value) => {
          await step()
          truth = value
          await mirror(
            async () => {
              await step()
              return truth
            },
            async (read) => {
              await step()
              copy = read
            },
          )
        }),
      )
      expect(copy).toBe(truth)
    }),
    { numRuns: 500 },
  )
})
