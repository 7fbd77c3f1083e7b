import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import type { HubObject } from '../../../src/platform/realtime/hub.object.ts'
import { hubName, setActive } from '../../../src/platform/realtime/hubs.ts'
import {
  activeNames,
  arrived,
  connect,
  dataOf,
  hub,
  isOnline,
  isolateHubs,
  lingerOver,
  ownName,
  passMinute,
  publish,
  soon,
  upgrade,
} from '../../support/hubs.ts'
import { contextWith } from '../../support/platform.ts'

isolateHubs()

const isActive = async () => (await activeNames()).includes(ownName())

test('an account is online from its first socket until a minute after its last one, and its hub is active then', async () => {
  expect(await isOnline()).toBe(false)
  const [first, second] = [await connect(), await connect()]
  expect([await isOnline(), await isActive()]).toEqual([true, true])
  first.socket.close(1000)
  second.socket.close(1000)
  await soon(() => first.closed && second.closed)
  await runDurableObjectAlarm(hub())
  expect([await isOnline(), await isActive()]).toEqual([true, true])
  await lingerOver()
  expect([await isOnline(), await isActive()]).toEqual([false, false])
  const left = await runInDurableObject(hub(), (_, { storage }) =>
    ['listeners', 'frames'].map((table) => storage.sql.exec(`SELECT * FROM ${table}`).toArray()),
  )
  expect(left).toEqual([[], []])
})

test('an account that reconnects within a minute misses nothing, and writes no row and reads no database', async () => {
  const first = await connect()
  first.socket.close(1000)
  await soon(() => first.closed)
  await publish('a')
  await evictDurableObject(hub())
  const changes = (storage: DurableObjectStorage) => storage.sql.exec<{ n: number }>('SELECT total_changes() n').one().n
  const [written, status] = await runInDurableObject(hub(), async (instance: HubObject, { storage }) => {
    const down = new Proxy({}, { get: () => () => Promise.reject(new Error('a database was used')) })
    Object.assign(instance, { env: { ...env, SHARD_0: down, SHARD_1: down } })
    instance.ready()
    const before = changes(storage)
    const response = await instance.fetch(upgrade())
    Object.assign(instance, { env })
    return [changes(storage) - before, response.status]
  })
  expect([written, status]).toEqual([0, 101])
  const back = await connect({ since: first.received[0]!.seq })
  await arrived(back, 2)
  expect([back.received[0]!.resumed, dataOf(back)]).toEqual([true, ['a']])
})

test('an account that connects while its hub goes offline ends up online', async () => {
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
  passMinute()
  await runInDurableObject(hub(), async (instance: HubObject) => {
    Object.assign(Reflect.get(instance, 'state').registration, { env: { ...env, SHARD_0 } })
    const asleep = instance.alarm()
    await reached.promise
    const connecting = instance.fetch(upgrade({ channels: [] }))
    going.resolve()
    await asleep
    await connecting
  })
  expect([await isOnline(), await isActive()]).toEqual([true, true])
})

test('a client that comes back after a minute gets `resumed: false`, and can resume later', async () => {
  const first = await connect()
  await publish('a')
  await arrived(first, 2)
  first.socket.close(1000)
  await soon(() => first.closed)
  await lingerOver()
  const back = await connect({ since: first.received.at(-1)!.seq })
  expect(back.received).toEqual([expect.objectContaining({ event: 'hello', resumed: false })])
  await publish('b')
  await arrived(back, 2)
  back.socket.close(1000)
  const again = await connect({ since: back.received[0]!.seq })
  await arrived(again, 2)
  expect([again.received[0]!.resumed, dataOf(again)]).toEqual([true, ['b']])
})

test('accounts whose sockets were cut without a close, as by a deployment, go offline after the next wake', async () => {
  await connect()
  await evictDurableObject(hub(), { webSockets: 'close' })
  await publish('into the void')
  expect(await isOnline()).toBe(true)
  await lingerOver()
  expect([await isOnline(), await isActive()]).toEqual([false, false])
})

test('a hub that is evicted between its alarms goes offline, and an account that came back stays', async () => {
  const first = await connect()
  first.socket.close(1000)
  await soon(() => first.closed)
  const wakeByAlarm = async () => {
    await evictDurableObject(hub())
    await lingerOver()
  }
  await wakeByAlarm()
  expect(await isOnline()).toBe(true)
  await wakeByAlarm()
  expect([await isOnline(), await isActive()]).toEqual([false, false])

  const left = await connect()
  left.socket.close(1000)
  await soon(() => left.closed)
  await wakeByAlarm()
  await connect()
  await wakeByAlarm()
  expect([await isOnline(), await isActive()]).toEqual([true, true])
})

test('a socket opens only after its hub is known to publishers', async () => {
  const answer = await runInDurableObject(hub(), async (instance: HubObject) => {
    instance.ready()
    const { registration } = Reflect.get(instance, 'state')
    Object.assign(registration, { env: { ...env, SHARD_0: { withSession: () => ({}) } } })
    const refused = await instance.fetch(upgrade()).catch(() => 'refused')
    Object.assign(registration, { env })
    return refused
  })
  expect([answer, await isOnline(), await isActive()]).toEqual(['refused', false, false])
  await connect()
  expect(await isActive()).toBe(true)
})

test('a failed reading of the database refuses the socket, and leaves nothing behind', async () => {
  const failed = await runInDurableObject(hub(), async (instance: HubObject) => {
    const channels = Reflect.get(instance, 'channels')
    const [home] = await channels()
    const broken = { ...home, authorsOf: () => Promise.reject(new Error('down')) }
    Object.assign(instance, { channels: async () => [broken] })
    const answer = await instance.fetch(upgrade()).catch((error: Error) => error.message)
    Object.assign(instance, { channels })
    return answer
  })
  expect([failed, await isOnline()]).toEqual(['down', false])
  expect((await connect()).received[0]).toMatchObject({ event: 'hello', resumed: false })
})

test('a late deletion by an earlier life of a hub does not remove the row of the next life', async () => {
  await connect()
  await setActive(env, { name: ownName(), epoch: 1 }, false)
  expect(await isActive()).toBe(true)
})

test('a hub that is known to publishers without listeners is forgotten at the next publish', async () => {
  const name = '0:9:0' // as with another number of hubs
  await setActive(env, { name, epoch: 1 }, true)
  await env.HUB.getByName(name).publish([])
  await soon(async () => !(await activeNames()).includes(name))
})

test('another number of hubs changes their names, and a shard’s accounts are spread over all of them', async () => {
  const names = (HUBS_PER_SHARD: number) =>
    new Set(
      Array.from({ length: 200 }, (_, i) => hubName(contextWith({ HUBS_PER_SHARD }), String(512_000 + i) as never)),
    )
  expect([names(4).size, names(5).size, names(4).intersection(names(5)).size]).toEqual([4, 5, 0])
})
