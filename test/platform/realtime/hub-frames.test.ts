import { evictDurableObject } from 'cloudflare:test'
import * as fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { arrived, connect, dataOf, hub, isolateHubs, publish, useFreshAccount } from '../../support/hubs.ts'

isolateHubs()

test('a new socket gets a hello, then only the frames of its channels, with increasing `seq`', async () => {
  const client = await connect({ channels: ['home'] })
  expect(client.received[0]).toEqual({ event: 'hello', seq: 0, resumed: false, channels: ['home'] })
  await publish('a')
  await publish('not mine', 'notifications')
  await publish({ id: '5' })
  await arrived(client, 3)
  expect(client.received.slice(1)).toEqual([
    { seq: 1, channel: 'home', event: 'test', data: 'a' },
    { seq: 3, channel: 'home', event: 'test', data: { id: '5' } },
  ])
})

test('a frame published again with the same key is sent only once', async () => {
  const client = await connect()
  for (const data of ['a', 'again', 'again'])
    await hub().publish({ channel: 'home', key: 'one key', event: 'test', data })
  await publish('b')
  await arrived(client, 3)
  expect(dataOf(client)).toEqual(['a', 'b'])
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
  const sent = ['a', 'b', 'c', 'd', 'e']
  for (const data of sent) await publish(data)
  for (let kept = 0; kept <= sent.length; kept++) {
    const broken = await connect({ since: 0 })
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
  await publish('not mine', 'notifications')
  const resumed = await connect({ since: 0, channels: ['home'] })
  await publish('mine')
  await arrived(resumed, 2)
  expect(resumed.received.map(({ seq }) => seq)).toEqual([0, 2])
})

test('a client that missed more than 256 frames gets `resumed: false` and none of the missed frames', async () => {
  const client = await connect()
  client.socket.close(1000)
  for (let i = 0; i < 256; i++) await publish(i)
  const justInTime = await connect({ since: 0 })
  await arrived(justInTime, 257)
  expect(justInTime.received[0]!.resumed).toBe(true)
  await publish(256)
  const late = await connect({ since: 0 })
  expect(late.received).toEqual([expect.objectContaining({ resumed: false, seq: 257 })])
  const fromTheFuture = await connect({ since: 9_999 })
  expect(fromTheFuture.received[0]!.resumed).toBe(false)
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
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * 3_600_000 })
  await publish('new')
  const [missedOld, missedNew] = [await connect({ since: 0 }), await connect({ since: 1 })]
  await arrived(missedNew, 2)
  expect([missedOld.received[0]!.resumed, dataOf(missedOld)]).toEqual([false, []])
  expect([missedNew.received[0]!.resumed, dataOf(missedNew)]).toEqual([true, ['new']])
})
