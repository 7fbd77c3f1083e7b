import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { UserHub } from '../../../src/platform/realtime/user-hub.object.ts'
import { arrived, connect, dataOf, hub, isOnline, isolateHubs, publish, soon, upgrade } from '../../support/hubs.ts'

isolateHubs()

test('an account is online from its first socket until the alarm after its last socket has closed', async () => {
  expect(await isOnline()).toBe(false)
  const first = await connect()
  const second = await connect()
  expect(await isOnline()).toBe(true)
  first.socket.close(1000)
  second.socket.close(1000)
  await soon(() => first.closed && second.closed)
  expect(await isOnline()).toBe(true)
  await soon(() => runDurableObjectAlarm(hub()))
  expect(await isOnline()).toBe(false)
})

test('an account that reconnects before the offline alarm stays online, and its frames are kept', async () => {
  const first = await connect()
  first.socket.close(1000)
  await soon(() => first.closed)
  const second = await connect()
  await publish('a')
  await soon(() => runDurableObjectAlarm(hub()))
  expect(await isOnline()).toBe(true)
  const third = await connect({ since: 0 })
  await arrived(third, 2)
  expect([third.received[0]!.resumed, dataOf(third)]).toEqual([true, ['a']])
  second.socket.close(1000)
})

test('an account that reconnects while the alarm is marking it offline ends up online', async () => {
  const first = await connect()
  first.socket.close(1000)
  await soon(() => first.closed)
  const [reached, going] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const session = env.SHARD_0.withSession('first-primary')
  const late = (statement: D1PreparedStatement) => ({
    bind: (...values: unknown[]) => late(statement.bind(...values)),
    all: async () => {
      reached.resolve()
      await going.promise
      return statement.all()
    },
  })
  const prepare = (query: string) =>
    (/^delete/i.test(query) ? late : <T>(statement: T) => statement)(session.prepare(query))
  const SHARD_0 = { withSession: () => ({ prepare, getBookmark: () => null }) }
  await runInDurableObject(hub(), async (instance: UserHub) => {
    Object.assign(instance, { env: { ...env, SHARD_0 } })
    const asleep = instance.alarm()
    await reached.promise
    await instance.fetch(upgrade({ channels: [] }))
    going.resolve()
    await asleep
    Object.assign(instance, { env })
  })
  expect(await isOnline()).toBe(true)
})

test('a client that reconnects after its account went offline gets `resumed: false` and can resume later', async () => {
  const first = await connect()
  await publish('a')
  await arrived(first, 2)
  first.socket.close(1000)
  await soon(() => runDurableObjectAlarm(hub()))
  const back = await connect({ since: first.received.at(-1)!.seq })
  expect(back.received).toEqual([expect.objectContaining({ event: 'hello', resumed: false })])
  await publish('b')
  await arrived(back, 2)
  back.socket.close(1000)
  const again = await connect({ since: back.received[0]!.seq })
  await arrived(again, 2)
  expect([again.received[0]!.resumed, dataOf(again)]).toEqual([true, ['b']])
})

test('an account whose sockets were disconnected without a close frame goes offline', async () => {
  await connect()
  await evictDurableObject(hub(), { webSockets: 'close' })
  await publish('into the void')
  await soon(() => runDurableObjectAlarm(hub()))
  expect(await isOnline()).toBe(false)
})
