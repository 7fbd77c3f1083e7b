import { env } from 'cloudflare:workers'
import { z } from '@hono/zod-openapi'
import { asc } from 'drizzle-orm'
import * as fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { changed } from '../../../src/platform/data/conditions.ts'
import { openDatabases } from '../../../src/platform/data/databases.ts'
import { Id, idOf, shardOf, timeOf, toId } from '../../../src/platform/data/ids.ts'
import {
  type Committed,
  committedIn,
  continueWith,
  defineEvent,
  defineStep,
  on,
  outbox,
  record,
} from '../../../src/platform/events/events.ts'
import { mirror } from '../../../src/platform/events/mirror.ts'
import { noCost } from '../../../src/platform/observability/cost.ts'
import { marks } from '../../support/marks.ts'
import { contextWith } from '../../support/platform.ts'

const happened = defineEvent('test.happened', z.object({ thingId: Id }))
const stepped = defineStep('test.stepped', z.object({ thingId: Id }))
const thingId = idOf(0, Date.UTC(2026, 0, 1), 1)
const committed: Committed[] = []
let clock = Date.UTC(2026, 5, 1)

const { shard: shardAt } = openDatabases(env, {
  cost: noCost(),
  now: () => clock,
  trace: { requestId: 'r1', traceId: 't1' },
  onCommit: (statements, results, source) => void committed.push(...committedIn(statements, results, source)),
})
const shard = shardAt(0)
const insert = () => shard.insert(marks).values({ accountId: thingId }).onConflictDoNothing()
const rows = () => shard.select().from(outbox).orderBy(asc(outbox.id))

beforeEach(async () => {
  committed.length = 0
  await shard.batch([shard.delete(marks), shard.delete(outbox)])
})

test('commit stores an event in the batch of the change and reports it to onCommit with id and trace', async () => {
  await shard.commit([insert(), record(shard, happened, { thingId })])
  const [row] = await rows()
  expect(timeOf(row!.id)).toBe(clock)
  const event = { id: row!.id, type: 'test.happened', data: { thingId }, trace: { requestId: 'r1', traceId: 't1' } }
  expect(row).toEqual({ ...event, pending: null, retryAt: null })
  expect(committed).toEqual([{ version: 1, source: '0', ...event }])
})

test('events of two shards have different ids, even in the same moment', async () => {
  const other = shardAt(1)
  await other.delete(outbox)
  await shard.commit([record(shard, happened, { thingId })])
  await other.commit([record(other, happened, { thingId })])
  await other.delete(outbox)
  expect(committed.map((event) => shardOf(event.id))).toEqual([0, 1])
})

test('of two concurrent repeats of a step, only one records the event of the next step', async () => {
  await shard.commit([record(shard, stepped, { thingId })])
  const [step] = await rows()
  await Promise.all([1, 2].map(() => continueWith(shard, step!.id, stepped, { thingId })))
  const [next, ...others] = await rows()
  expect([others, committed.map(({ id }) => id)]).toEqual([[], [step!.id, next!.id]])
})

test('a conditional event is recorded only if the statement before it changed a row', async () => {
  for (const times of [1, 1]) {
    await shard.commit([insert(), record(shard, happened, { thingId }, changed)])
    expect(committed).toHaveLength(times)
  }
  expect(await rows()).toHaveLength(1)
})

test('a failing commit stores no event and reports none to onCommit', async () => {
  await insert()
  const clash = shard.insert(marks).values({ accountId: thingId })
  await expect(shard.commit([record(shard, happened, { thingId }), clash])).rejects.toThrow()
  expect([await rows(), committed]).toEqual([[], []])
})

test('event ids are unique in one batch, in concurrent batches and after the clock goes back', async () => {
  const three = () => [1, 2, 3].map(() => record(shard, happened, { thingId }))
  const batch = () => shard.commit(three() as [ReturnType<typeof record>])
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

test('when all ids of a 10 ms tick are used, the next event gets the first id of the next tick', async () => {
  const last = idOf(0, clock + 10, 511)
  await shard.insert(outbox).values({ id: last, type: 'test.happened', data: {}, trace: {} })
  await shard.commit([record(shard, happened, { thingId })])
  expect(committed.map((event) => event.id)).toEqual([idOf(0, clock + 20, 0)])
})

test('recording data that does not fit the schema of the event throws', () => {
  expect(() => record(shard, happened, { thingId: 'x' as Id })).toThrow()
})

test('a subscription gets parsed data and rejects invalid data', async () => {
  const seen: unknown[] = []
  const ctx = contextWith()
  const subscription = on(happened, 'see', async (_, data, eventId) => void seen.push([data, eventId]))
  await subscription.run(ctx, { thingId, more: 1 }, toId(5))
  expect(seen).toEqual([[{ thingId }, '5']])
  await expect(subscription.run(ctx, { thingId: 5 }, toId(5))).rejects.toThrow()
})

/** Runs tasks one step at a time. Each of `choices` selects the waiting task that continues. */
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

test('a mirror ends equal to its source in random interleavings of source changes and mirror writes', async () => {
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
