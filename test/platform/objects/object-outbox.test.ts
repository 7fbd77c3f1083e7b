import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { ObjectOutbox, outboxSchema } from '../../../src/platform/objects/object-outbox.ts'

let objects = 0

/** Runs in the storage of a new object. */
const inObject = (run: (storage: DurableObjectStorage) => Promise<void>) =>
  runInDurableObject(env.SWEEPER.getByName(`outbox-${objects++}`), async (_, { storage }) => {
    storage.sql.exec(outboxSchema)
    await run(storage)
    await storage.deleteAlarm()
  })

const waiting = (storage: DurableObjectStorage) =>
  storage.sql
    .exec<{ key: string }>('SELECT key FROM outbox')
    .toArray()
    .map(({ key }) => key)

test('each key is delivered once, however often it was added, and then no longer waits', () =>
  inObject(async (storage) => {
    const delivered: string[][] = []
    const outbox = new ObjectOutbox(storage, async (keys) => void delivered.push([...keys]))
    outbox.add('a', 'b')
    outbox.add('a')
    expect(waiting(storage)).toEqual(['a', 'b'])
    await Promise.all([outbox.run(), outbox.run()])
    await outbox.run()
    expect(delivered).toEqual([['a', 'b']])
    expect(waiting(storage)).toEqual([])
  }))

test('what changes during its delivery is delivered again, before the callers of `run` go on', () =>
  inObject(async (storage) => {
    let truth = 1
    const told: number[] = []
    const outbox: ObjectOutbox = new ObjectOutbox(storage, async () => {
      const read = truth
      if (read === 1) {
        truth = 2
        outbox.add('a')
      }
      await scheduler.wait(0)
      told.push(read)
    })
    outbox.add('a')
    await outbox.run()
    expect(told).toEqual([1, 2])
    expect(waiting(storage)).toEqual([])
  }))

test('a failed delivery waits for the alarm, which was set with the change, and never fails itself', () =>
  inObject(async (storage) => {
    let isDown = true
    const outbox = new ObjectOutbox(storage, async () => {
      if (isDown) throw new Error('down')
    })
    outbox.add('a')
    expect(await storage.getAlarm()).toBeGreaterThan(Date.now())
    await expect(outbox.run()).rejects.toThrow('down')
    expect(waiting(storage)).toEqual(['a'])
    const failures: unknown[] = []
    await outbox.alarm((error) => failures.push(error))
    expect([failures.length, waiting(storage)]).toEqual([1, ['a']])
    isDown = false
    await outbox.alarm((error) => failures.push(error))
    expect([failures.length, waiting(storage)]).toEqual([1, []])
  }))

test('an object that was evicted finds what waits, and the time between retries grows to 45 seconds', () =>
  inObject(async (storage) => {
    vi.useFakeTimers({ toFake: ['Date'] })
    new ObjectOutbox(storage, async () => {}).add('a')
    const reborn = new ObjectOutbox(storage, async () => {
      throw new Error('down')
    })
    const waits: number[] = []
    for (let n = 0; n < 6; n++) {
      await reborn.alarm(() => {})
      waits.push(((await storage.getAlarm()) ?? 0) - Date.now())
    }
    vi.useRealTimers()
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, 45_000, 45_000])
    expect(waiting(storage)).toEqual(['a'])
  }))
