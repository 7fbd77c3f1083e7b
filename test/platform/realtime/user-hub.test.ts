import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { eq } from 'drizzle-orm'
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Id, newId } from '../../../src/platform/data/ids.ts'
import { presence } from '../../../src/platform/realtime/presence.ts'
import type { UserHub } from '../../../src/platform/realtime/user-hub.object.ts'
import { contextWith } from '../../support/platform.ts'

type Received = { event: string; seq: number; resumed?: boolean; channel?: string; data?: unknown; code?: string }
type Client = { socket: WebSocket; received: Received[]; closed: { code: number; reason: string } | null }

let accountId: Id
let keys = 0

beforeEach(() => {
  accountId = newId(0, Date.now() + keys++ * 1_000)
})
afterEach(() => {
  vi.useRealTimers()
})

const soon = <T>(condition: () => T) => vi.waitUntil(condition, { timeout: 10_000, interval: 5 })
const hub = () => env.HUB.getByName(accountId)
const publish = (data: unknown, channel = 'home') => hub().publish(channel, `key ${keys++}`, 'test', data)
const isOnline = async () =>
  (await contextWith().db.shard(0).select().from(presence).where(eq(presence.accountId, accountId))).length === 1

function ask(
  opening: { since?: number | null; channels?: string[]; sessionId?: string; issuedAt?: number } = {},
): Promise<Response> {
  const login = { sessionId: 'login 1', issuedAt: Date.now() }
  const all = { accountId, ...login, channels: ['home', 'notifications'], since: null, ...opening }
  return hub().fetch('https://hub/', { headers: { upgrade: 'websocket', opening: JSON.stringify(all) } })
}

/** A socket whose greeting has come. Half open, it never answers when the other side closes. */
async function connect(opening: Parameters<typeof ask>[0] = {}, allowHalfOpen = false): Promise<Client> {
  const { webSocket } = await ask(opening)
  const client: Client = { socket: webSocket!, received: [], closed: null }
  webSocket!.addEventListener('message', ({ data }) => void client.received.push(JSON.parse(data as string)))
  webSocket!.addEventListener('close', ({ code, reason }) => {
    client.closed = { code, reason }
  })
  webSocket!.accept({ allowHalfOpen })
  await arrived(client, 1)
  return client
}

const arrived = (client: Client, many: number) => soon(() => client.received.length >= many)
const dataOf = (client: Client) => client.received.slice(1).map((frame) => frame.data)

test('a socket is greeted, and gets the frames of its channels in order with rising numbers', async () => {
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

test('an occurrence published twice is sent once', async () => {
  const client = await connect()
  for (const data of ['a', 'again', 'again']) await hub().publish('home', 'one key', 'test', data)
  await publish('b')
  await arrived(client, 3)
  expect(dataOf(client)).toEqual(['a', 'b'])
})

test('who comes back with the last number misses nothing and repeats nothing, wherever the line broke', async () => {
  const break_ = fc.record({ before: fc.nat({ max: 4 }), during: fc.nat({ max: 4 }), evict: fc.boolean() })
  await fc.assert(
    fc.asyncProperty(fc.array(break_, { minLength: 1, maxLength: 5 }), async (breaks) => {
      accountId = newId(0, Date.now() + keys++ * 1_000)
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

test('who has been away for too many frames is told to fetch anew, and gets none of them', async () => {
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

test('one socket that is gone, or was closed and stays silent, stops no other', async () => {
  const silent = await connect({ sessionId: 'login 1' }, true)
  const others = [await connect({ sessionId: 'login 2' }), await connect({ sessionId: 'login 3' })]
  await hub().closeRevoked('logged out', { sessionId: 'login 1' })
  await publish('a')
  for (const other of others) {
    await arrived(other, 2)
    expect(dataOf(other)).toEqual(['a'])
  }
  await soon(() => silent.closed)
  expect([silent.closed, dataOf(silent)]).toEqual([{ code: 4001, reason: 'logged out' }, []])
})

test('the sockets of all tokens issued by then are closed at once, and of no later one', async () => {
  const now = Date.now()
  const clients = [await connect({ issuedAt: now - 1 }), await connect({ issuedAt: now, sessionId: 'login 2' })]
  const later = await connect({ issuedAt: now + 1 })
  await hub().closeRevoked('suspended', { before: now })
  await soon(() => clients.every((client) => client.closed))
  await publish('a')
  await arrived(later, 2)
  expect(clients.map((client) => client.closed!.code)).toEqual([4001, 4001])
})

test('whoever is shut out opens no socket until their access tokens have run out; later tokens do at once', async () => {
  const issuedAt = Date.now() - 5_000
  await hub().closeRevoked('logged out', { sessionId: 'login 1' })
  await hub().closeRevoked('suspended', { before: issuedAt })
  await hub().closeRevoked('suspended', { before: issuedAt - 1_000 })
  const statusOf = async (opening: Parameters<typeof ask>[0]) => (await ask(opening)).status
  expect(await statusOf({ sessionId: 'login 1' })).toBe(401)
  expect(await statusOf({ sessionId: 'login 2', issuedAt })).toBe(401)
  await evictDurableObject(hub())
  expect(await statusOf({ sessionId: 'login 2', issuedAt })).toBe(401)
  expect(await statusOf({ sessionId: 'login 2', issuedAt: issuedAt + 1 })).toBe(101)
})

test('who is shut out while the socket is opening gets none, and is not left online', async () => {
  const status = await runInDurableObject(hub(), async (instance: UserHub) => {
    const opening = JSON.stringify({ accountId, sessionId: 'login 1', issuedAt: Date.now(), channels: [], since: null })
    const answer = instance.fetch(new Request('https://hub/', { headers: { upgrade: 'websocket', opening } }))
    instance.closeRevoked('logged out', { sessionId: 'login 1' })
    return (await answer).status
  })
  expect(status).toBe(401)
  await runDurableObjectAlarm(hub())
  expect(await isOnline()).toBe(false)
})

test('a socket that is a day old is closed, so that its client shows that the login still holds', async () => {
  const [old, young] = [await connect({ issuedAt: Date.now() - 24 * 3_600_000 - 1 }), await connect()]
  await publish('a')
  await soon(() => old.closed)
  expect([old.closed!.code, dataOf(old)]).toEqual([4000, []])
  await arrived(young, 2)
})

test('sockets sleep through an eviction, and still get the frames of their channels', async () => {
  const client = await connect({ channels: ['home'] })
  await evictDurableObject(hub())
  await publish('after')
  await publish('not mine', 'notifications')
  await arrived(client, 2)
  expect(dataOf(client)).toEqual(['after'])
})

test('ping is answered by pong without a count of messages', async () => {
  const { webSocket } = await ask()
  const texts: unknown[] = []
  webSocket!.addEventListener('message', ({ data }) => void texts.push(data))
  webSocket!.accept()
  await evictDurableObject(hub())
  for (let i = 0; i < 100; i++) webSocket!.send('ping')
  await soon(() => texts.length === 101)
  expect(texts.slice(1).every((text) => text === 'pong')).toBe(true)
})

test('an account has at most sixteen sockets', async () => {
  const clients = await Promise.all(Array.from({ length: 16 }, () => connect()))
  expect((await ask()).status).toBe(429)
  clients[0]!.socket.close(1000)
  await soon(async () => (await ask()).status === 101)
})

test('of hundreds of sockets that are opened at once sixteen are, and whoever is refused takes no place', async () => {
  const answers = await Promise.all(Array.from({ length: 300 }, () => ask()))
  const opened = answers.filter(({ status }) => status === 101)
  expect([opened.length, answers.filter(({ status }) => status === 429).length]).toEqual([16, 284])
  for (const { webSocket } of opened) {
    webSocket!.accept()
    webSocket!.close(1000)
  }
  await soon(async () => (await ask()).status === 101)
})

test('a socket that says too much, too much at once, or no text is closed', async () => {
  const wordy = await connect()
  wordy.socket.send('x'.repeat(4_097))
  await soon(() => wordy.closed)
  expect(wordy.closed!.code).toBe(1009)
  const binary = await connect()
  binary.socket.send(new Uint8Array(10))
  await soon(() => binary.closed)
  expect(binary.closed!.code).toBe(1003)
  const busy = await connect()
  for (let i = 0; i < 60; i++) busy.socket.send('hello')
  await arrived(busy, 61)
  expect(busy.received.at(-1)).toMatchObject({ event: 'error', code: 'bad_request' })
  busy.socket.send('hello')
  await soon(() => busy.closed)
  expect(busy.closed!.code).toBe(4008)
})

test('a ticket opens once, within thirty seconds, for the login it was given to', async () => {
  const holder = { sessionId: 'login 7', issuedAt: 7 }
  const ticket = await hub().issueTicket(holder)
  expect(ticket.length).toBeGreaterThanOrEqual(64)
  expect(await hub().redeemTicket('x')).toBeNull()
  expect(await Promise.all([hub().redeemTicket(ticket), hub().redeemTicket(ticket)])).toEqual([holder, null])
  const [early, late] = [await hub().issueTicket(holder), await hub().issueTicket(holder)]
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(Date.now() + 29_000)
  expect(await hub().redeemTicket(early)).toEqual(holder)
  vi.setSystemTime(Date.now() + 2_000)
  expect(await hub().redeemTicket(late)).toBeNull()
})

test('an account is online from its first socket until a minute after its last', async () => {
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

test('who comes back within the minute stays online, and what is kept for them stays', async () => {
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

test('who comes back at the very moment at which the account goes offline is online', async () => {
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
  const prepare = (query: string) => (/^delete/i.test(query) ? late : <T>(it: T) => it)(session.prepare(query))
  const SHARD_0 = { withSession: () => ({ prepare, getBookmark: () => null }) }
  await runInDurableObject(hub(), async (instance: UserHub) => {
    Object.assign(instance, { env: { ...env, SHARD_0 } })
    const asleep = instance.alarm()
    await reached.promise
    const opening = JSON.stringify({ accountId, sessionId: 'login 1', issuedAt: Date.now(), channels: [], since: null })
    await instance.fetch(new Request('https://hub/', { headers: { upgrade: 'websocket', opening } }))
    going.resolve()
    await asleep
    Object.assign(instance, { env })
  })
  expect(await isOnline()).toBe(true)
})

test('who comes back after going offline is told to fetch anew, since frames may have passed by', async () => {
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

test('an account whose sockets were cut off without a word goes offline too', async () => {
  await connect()
  await evictDurableObject(hub(), { webSockets: 'close' })
  await publish('into the void')
  await soon(() => runDurableObjectAlarm(hub()))
  expect(await isOnline()).toBe(false)
})
