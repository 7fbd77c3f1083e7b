import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { expect, test, vi } from 'vitest'
import type { HubObject } from '../../../src/platform/realtime/hub.object.ts'
import { requireDescribed } from '../../support/frames.ts'
import {
  arrived,
  connect,
  dataOf,
  hub,
  isOnline,
  isolateHubs,
  lingerOver,
  open,
  publish,
  self,
  soon,
  upgrade,
} from '../../support/hubs.ts'

isolateHubs()

test('a revoked socket that never confirms its close gets no frames, and other sockets still get theirs', async () => {
  const silent = await connect({ sessionId: 'login 1' }, true)
  const others = [await connect({ sessionId: 'login 2' }), await connect({ sessionId: 'login 3' })]
  await hub().closeRevoked(self(), 'logged out', { sessionIds: ['login 1'] })
  await publish('a')
  for (const other of others) {
    await arrived(other, 2)
    expect(dataOf(other)).toEqual(['a'])
  }
  await soon(() => silent.closed)
  expect([silent.closed, dataOf(silent)]).toEqual([{ code: 4001, reason: 'logged out' }, []])
})

test('revoking tokens up to an issue time closes their sockets, but not those of later tokens', async () => {
  const now = Date.now()
  const clients = [await connect({ issuedAt: now - 1 }), await connect({ issuedAt: now, sessionId: 'login 2' })]
  const later = await connect({ issuedAt: now + 1 })
  await hub().closeRevoked(self(), 'suspended', { before: now })
  await soon(() => clients.every((client) => client.closed))
  await publish('a')
  await arrived(later, 2)
  expect(clients.map((client) => client.closed!.code)).toEqual([4001, 4001])
})

test('a revoked session or token opens no socket, even after an eviction, and a later token opens one', async () => {
  const issuedAt = Date.now() - 5_000
  await hub().closeRevoked(self(), 'logged out', { sessionIds: ['login 1'] })
  await hub().closeRevoked(self(), 'suspended', { before: issuedAt })
  await hub().closeRevoked(self(), 'suspended', { before: issuedAt - 1_000 })
  const statusOf = async (opening: Parameters<typeof open>[0]) => (await open(opening)).status
  expect(await statusOf({ sessionId: 'login 1' })).toBe(401)
  expect(await statusOf({ sessionId: 'login 2', issuedAt })).toBe(401)
  await evictDurableObject(hub())
  expect(await statusOf({ sessionId: 'login 2', issuedAt })).toBe(401)
  expect(await statusOf({ sessionId: 'login 2', issuedAt: issuedAt + 1 })).toBe(101)
})

test('a session revoked during its WebSocket upgrade gets 401, and its account stays offline', async () => {
  const status = await runInDurableObject(hub(), async (instance: HubObject) => {
    Object.assign(instance, { channels: async () => [] })
    const answer = instance.fetch(upgrade({ channels: [] }))
    while (instance.online([self()]).length === 0) await Promise.resolve() // until the hub waits for its row
    instance.closeRevoked(self(), 'logged out', { sessionIds: ['login 1'] })
    return (await answer).status
  })
  expect(status).toBe(401)
  await lingerOver()
  expect(await isOnline()).toBe(false)
})

test('a socket whose token is a day old is closed at the next frame', async () => {
  const [old, young] = [await connect({ issuedAt: Date.now() - 24 * 3_600_000 - 1 }), await connect()]
  await publish('a')
  await soon(() => old.closed)
  expect([old.closed!.code, dataOf(old)]).toEqual([4000, []])
  await arrived(young, 2)
})

test('ping is answered by pong and does not count as a message', async () => {
  const { webSocket } = await open()
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
  expect((await open()).status).toBe(429)
  clients[0]!.socket.close(1000)
  await soon(async () => (await open()).status === 101)
})

test('300 concurrent upgrades open 16 sockets, and refused upgrades do not count against that limit', async () => {
  const answers = await Promise.all(Array.from({ length: 300 }, () => open()))
  const opened = answers.filter(({ status }) => status === 101)
  expect([opened.length, answers.filter(({ status }) => status === 429).length]).toEqual([16, 284])
  for (const { webSocket } of opened) {
    webSocket!.accept()
    webSocket!.close(1000)
  }
  await soon(async () => (await open()).status === 101)
})

test('a socket is closed after an oversized message, a binary message or too many messages', async () => {
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
  requireDescribed(busy.received.at(-1)!)
  busy.socket.send('hello')
  await soon(() => busy.closed)
  expect(busy.closed!.code).toBe(4008)
})

test('a ticket can be redeemed once within thirty seconds, and returns the session that requested it', async () => {
  const holder = { sessionId: 'login 7', issuedAt: 7 }
  const ticket = await hub().issueTicket(self(), holder)
  expect(ticket.length).toBeGreaterThanOrEqual(64)
  expect(await hub().redeemTicket(self(), 'x')).toBeNull()
  expect(await Promise.all([hub().redeemTicket(self(), ticket), hub().redeemTicket(self(), ticket)])).toEqual([
    holder,
    null,
  ])
  const [early, late] = [await hub().issueTicket(self(), holder), await hub().issueTicket(self(), holder)]
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(Date.now() + 29_000)
  expect(await hub().redeemTicket(self(), early)).toEqual(holder)
  vi.setSystemTime(Date.now() + 2_000)
  expect(await hub().redeemTicket(self(), late)).toBeNull()
})
