import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import * as fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { newId, toId } from '../../../src/platform/data/ids.ts'
import type { HubObject } from '../../../src/platform/realtime/hub.object.ts'
import type { HubFrame } from '../../../src/platform/realtime/hub-frames.ts'
import {
  arrived,
  connect,
  dataOf,
  frameTo,
  hub,
  isolateHubs,
  publish,
  self,
  useFreshAccount,
} from '../../support/hubs.ts'
import { seedFollows } from '../../support/seed.ts'

isolateHubs()

/** The numbers are times, so they are compared by their order. */
const ascending = (frames: { seq: number }[]) => frames.every(({ seq }, i) => i === 0 || seq > frames[i - 1]!.seq)

test('a new socket gets a hello, then only the frames of its channels, with increasing `seq`', async () => {
  const client = await connect({ channels: ['home'] })
  const seq = expect.any(Number)
  expect(client.received[0]).toEqual({ event: 'hello', seq, resumed: false, channels: ['home'], unkept: [] })
  await publish('a')
  await publish('not mine', 'notifications')
  await publish({ id: '5' })
  await arrived(client, 3)
  expect(client.received.slice(1)).toEqual([
    { seq, channel: 'home', event: 'test', data: 'a' },
    { seq, channel: 'home', event: 'test', data: { id: '5' } },
  ])
  expect(ascending(client.received)).toBe(true)
})

test('a frame published again with the same key is sent only once, also after an eviction', async () => {
  const client = await connect()
  const again = (data: unknown) =>
    hub().publish([frameTo(self(), { key: 'one key', channel: 'home', event: 'test', data })])
  await again('a')
  await again('again')
  await evictDurableObject(hub())
  await again('again')
  await publish('b')
  await arrived(client, 3)
  expect(dataOf(client)).toEqual(['a', 'b'])
})

test('`seq` is the time, also in the `hello` of a socket whose hub sends frames to others', async () => {
  const other = await connect()
  await publish('of another account')
  await arrived(other, 2)
  const around = Date.now()
  const client = await connect({ accountId: newId(0, Date.now()) })
  expect(Math.abs(client.received[0]!.seq / 1_024 - around)).toBeLessThan(60_000)
  expect(client.received[0]!.seq).toBeGreaterThan(other.received[1]!.seq)
})

test('a client that reconnects with `since` gets every frame exactly once, wherever it disconnected', async () => {
  const break_ = fc.record({ before: fc.nat({ max: 4 }), during: fc.nat({ max: 4 }), evict: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(break_, { minLength: 1, maxLength: 5 }), async (breaks) => {
      useFreshAccount()
      const got: unknown[] = []
      let sent = 0
      let since: number | null = null
      for (const { before, during, evict } of breaks) {
        const client = await connect({ since })
        expect(client.received[0]!.resumed).toBe(since !== null)
        for (let i = 0; i < before; i++) await publish(sent++)
        await arrived(client, 1 + sent - got.length)
        client.socket.close(1000)
        got.push(...dataOf(client))
        since = client.received.at(-1)!.seq
        if (evict) await evictDurableObject(hub())
        for (let i = 0; i < during; i++) await publish(sent++)
      }
      const last = await connect({ since })
      await arrived(last, 1 + sent - got.length)
      last.socket.close(1000)
      expect([...got, ...dataOf(last)]).toEqual(Array.from({ length: sent }, (_, i) => i))
    }),
    { numRuns: 8 },
  )
})

test('a client that disconnects after `hello` or after any missed frame resumes without losing a frame', async () => {
  const first = await connect()
  first.socket.close(1000)
  const since = first.received[0]!.seq
  const sent = ['a', 'b', 'c', 'd', 'e']
  for (const data of sent) await publish(data)
  for (let kept = 0; kept <= sent.length; kept++) {
    const broken = await connect({ since })
    await arrived(broken, 1 + sent.length)
    broken.socket.close(1000)
    // Pretends that the client disconnected after `hello` and the first `kept` frames.
    const before = broken.received.slice(0, 1 + kept)
    const seqs = before.map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
    const resumed = await connect({ since: seqs.at(-1)! })
    await arrived(resumed, 1 + sent.length - kept)
    resumed.socket.close(1000)
    expect(resumed.received[0]).toMatchObject({ event: 'hello', seq: seqs.at(-1), resumed: true })
    expect([...before.slice(1).map(({ data }) => data), ...dataOf(resumed)]).toEqual(sent)
  }
})

test('a resumed hello repeats `since` even when the missed frames belong to other channels', async () => {
  const first = await connect()
  first.socket.close(1000)
  const since = first.received[0]!.seq
  await publish('not mine', 'notifications')
  const resumed = await connect({ since, channels: ['home'] })
  await publish('mine')
  await arrived(resumed, 2)
  expect(resumed.received[0]).toMatchObject({ seq: since, resumed: true })
  expect(dataOf(resumed)).toEqual(['mine'])
})

test('a client that missed more than 1,024 frames of its hub gets `resumed: false` and none of them', async () => {
  const client = await connect()
  client.socket.close(1000)
  const since = client.received[0]!.seq
  const many = (from: number, to: number) =>
    hub().publish(
      Array.from({ length: to - from }, (_, i) => frameTo(self(), { channel: 'home', event: 'test', data: from + i })),
    )
  await many(0, 1_024)
  const justInTime = await connect({ since })
  await arrived(justInTime, 1_025)
  expect(justInTime.received[0]!.resumed).toBe(true)
  await evictDurableObject(hub())
  const afterEviction = await connect({ since: justInTime.received[1]!.seq })
  await arrived(afterEviction, 1_024)
  await publish(1_024)
  const late = await connect({ since })
  expect(late.received).toEqual([expect.objectContaining({ resumed: false })])
  const fromTheFuture = await connect({ since: Number.MAX_SAFE_INTEGER })
  expect(fromTheFuture.received[0]!.resumed).toBe(false)
})

test('a frame that nobody listens to is not written, and one to many accounts is written once', async () => {
  const accounts = Array.from({ length: 5 }, (_, i) => newId(0, Date.now() - i * 1_000))
  const rows = (frame: Partial<HubFrame>) =>
    runInDurableObject(hub(), (instance: HubObject, { storage }) => {
      const before = storage.sql.exec<{ n: number }>('SELECT total_changes() AS n').one().n
      instance.publish([{ ...frameTo(self(), { channel: 'home', event: 'test', data: 1 }), ...frame }])
      return storage.sql.exec<{ n: number }>('SELECT total_changes() AS n').one().n - before
    })
  await hub().ready()
  expect(await rows({ topic: 'author:77' })).toBe(0)
  await seedFollows(accounts.map((id) => [id, toId(77)]))
  const clients = []
  for (const id of accounts) clients.push(await connect({ accountId: id }))
  expect(await rows({ topic: 'author:77', key: 'to many' })).toBe(1)
  expect(await rows({ topic: 'author:77', key: 'to many' })).toBe(0)
  expect(await rows({ topic: 'author:77', key: 'transient', isTransient: true })).toBe(0)
  for (const client of clients) await arrived(client, 3)
})

test('sockets survive an eviction and still get the frames of their channels', async () => {
  const client = await connect({ channels: ['home'] })
  await evictDurableObject(hub())
  await publish('after')
  await publish('not mine', 'notifications')
  await arrived(client, 2)
  expect(dataOf(client)).toEqual(['after'])
})

test('frames older than FRAME_HOURS expire, and a client that missed one gets `resumed: false`', async () => {
  const client = await connect()
  await publish('old')
  await arrived(client, 2)
  const [before, old] = client.received.map(({ seq }) => seq)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * 3_600_000 })
  await publish('new')
  const [missedOld, missedNew] = [await connect({ since: before }), await connect({ since: old })]
  await arrived(missedNew, 2)
  expect([missedOld.received[0]!.resumed, dataOf(missedOld)]).toEqual([false, []])
  expect([missedNew.received[0]!.resumed, dataOf(missedNew)]).toEqual([true, ['new']])
  const stored = await runInDurableObject(hub(), (_, { storage }) =>
    storage.sql
      .exec<{ frame: string }>('SELECT frame FROM frames')
      .toArray()
      .map(({ frame }) => JSON.parse(frame).data),
  )
  expect([stored.includes('old'), stored.includes('new')]).toEqual([false, true])
})
