import { listDurableObjectIds } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { z } from '@hono/zod-openapi'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Viewer } from '../../../src/platform/context.ts'
import { Id } from '../../../src/platform/data/ids.ts'
import { type Channel, defineChannel, frameOf, publish } from '../../../src/platform/realtime/channels.ts'
import { closeSockets } from '../../../src/platform/realtime/hub.client.ts'
import { hubName } from '../../../src/platform/realtime/hubs.ts'
import { realtimeOperations } from '../../../src/platform/realtime/operations.ts'
import { revokeTokensBefore } from '../../../src/platform/security/revocation.ts'
import type { Scope } from '../../../src/platform/security/scopes.ts'
import { newViewer, smallApp } from '../../support/edge.ts'
import { contextWith } from '../../support/platform.ts'

type Frame = { event: string; seq: number; channels?: string[]; resumed?: boolean; data?: unknown }

const posts = 'posts:read' as Scope
const frames = { post: z.unknown(), like: z.unknown() }
const home = defineChannel('home', { frames, scope: posts, mayJoin: async () => true })
const notifications = defineChannel('notifications', { frames, scope: posts, mayJoin: async () => true })
const { call } = smallApp(realtimeOperations([home, notifications]))
let ada: Viewer

async function send(channel: Channel<typeof frames>, id: Id, key: string, event: 'post' | 'like', data: unknown) {
  const ctx = contextWith()
  await publish(ctx, [{ name: hubName(ctx, id) }], [frameOf(channel, `account:${id}`, { key, event, data })])
}

beforeEach(() => {
  ada = newViewer({ scopes: new Set(['realtime', 'posts:read']) })
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const upgrade = { upgrade: 'websocket' }
const open = (who: Viewer | null, query = '', headers: Record<string, string> = {}) =>
  call(who, `/v1/realtime${query}`, { headers: { ...upgrade, ...headers } })
const codeOf = async (response: Response) => (await response.json<{ code: string }>()).code

async function ticketOf(who: Viewer): Promise<string> {
  const response = await call(who, '/v1/realtime/tickets', { method: 'POST' })
  expect(response.status).toBe(201)
  return (await response.json<{ ticket: string }>()).ticket
}

function listen(response: Response): { socket: WebSocket; frames: Frame[]; closed: () => number | undefined } {
  const socket = response.webSocket!
  const frames: Frame[] = []
  let code: number | undefined
  socket.addEventListener('message', ({ data }) => void frames.push(JSON.parse(data as string)))
  socket.addEventListener('close', (event) => {
    code = event.code
  })
  socket.accept()
  return { socket, frames, closed: () => code }
}
const soon = (condition: () => unknown) => vi.waitUntil(condition, { timeout: 25_000, interval: 5 })

test('a token opens a socket that gets the frames of its account', async () => {
  const response = await open(ada)
  expect(response.status).toBe(101)
  const { frames } = listen(response)
  await send(home, ada.id, 'k', 'post', { postId: '1' })
  await send(home, newViewer().id, 'm', 'post', 'of another')
  await send(notifications, ada.id, 'l', 'like', {})
  await soon(() => frames.length === 3)
  expect(frames[0]).toEqual({
    event: 'hello',
    seq: expect.any(Number),
    resumed: false,
    channels: ['home', 'notifications'],
    unkept: [],
  })
  expect(frames.slice(1).map((frame) => frame.event)).toEqual(['post', 'like'])
})

test('a socket resumes its channels after `since`; an unknown channel or a malformed `since` is invalid', async () => {
  const first = listen(await open(ada))
  for (const key of ['a', 'b', 'c']) await send(home, ada.id, key, 'post', key)
  await soon(() => first.frames.length === 4)
  const second = listen(await open(ada, `?channels=home&since=${first.frames[1]!.seq}`))
  await soon(() => second.frames.length === 3)
  expect(second.frames[0]).toMatchObject({ channels: ['home'], resumed: true })
  expect(second.frames.slice(1).map((frame) => frame.data)).toEqual(['b', 'c'])
  expect(await codeOf(await open(ada, '?channels=home,secrets'))).toBe('invalid')
  for (const since of ['', '-1', 'x', '1.5', '0x1', ' 1'])
    expect(await codeOf(await open(ada, `?since=${since}`))).toBe('invalid')
})

test('a ticket opens one socket of its account within thirty seconds, and an altered ticket opens none', async () => {
  const ticket = await ticketOf(ada)
  expect(ticket).toMatch(new RegExp(`^${ada.id}\\.[0-9a-f-]{72}\\.posts:read\\.[\\w-]{43}$`))
  expect((await open(null, `?ticket=${ticket}`)).status).toBe(101)
  expect(await codeOf(await open(null, `?ticket=${ticket}`))).toBe('unauthorized')
  const [, secret] = (await ticketOf(ada)).split('.')
  for (const other of [
    `${newViewer().id}.${secret}`,
    `${ada.id}.${secret}`,
    (await ticketOf(ada)).replace('posts:read', 'posts:read+notifications:read'),
    secret,
    `${ada.id}.`,
    `x.${secret}`,
    '',
    '.',
  ]) {
    expect(await codeOf(await open(null, `?ticket=${other}`))).toBe('unauthorized')
  }
  const late = await ticketOf(ada)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 })
  expect(await codeOf(await open(null, `?ticket=${late}`))).toBe('unauthorized')
})

test('a token or ticket opens only the channels of its scopes', async () => {
  const app = newViewer({ scopes: new Set(['realtime']), clientId: '1970324836974593' })
  const channelsOf = async (response: Response) => listen(response).frames
  expect(await codeOf(await open(app, '?channels=home'))).toBe('insufficient_scope')
  expect(await codeOf(await open(null, `?channels=home&ticket=${await ticketOf(app)}`))).toBe('insufficient_scope')
  for (const response of [await open(app), await open(null, `?ticket=${await ticketOf(app)}`)]) {
    const frames = await channelsOf(response)
    await vi.waitFor(() => expect(frames[0]).toMatchObject({ event: 'hello', channels: [] }))
  }
})

test('a ticket opens no socket after the token that requested it was revoked', async () => {
  const ticket = await ticketOf(ada)
  await env.GUARD.getByName(`user:${ada.id}`).revokeTokensBefore(ada.issuedAt)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2_500 })
  expect(await codeOf(await open(null, `?ticket=${ticket}`))).toBe('unauthorized')
})

test('a ticket opens no socket after its session has ended or its account is suspended', async () => {
  const [one, two] = [await ticketOf(ada), await ticketOf({ ...ada, sessionId: 'login 2' })]
  const limiter = env.GUARD.getByName(`user:${ada.id}`)
  await limiter.endSession('login 1')
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2_500 })
  expect(await codeOf(await open(null, `?ticket=${one}`))).toBe('unauthorized')
  await limiter.setSuspended(true)
  vi.setSystemTime(Date.now() + 2_500)
  expect(await codeOf(await open(null, `?ticket=${two}`))).toBe('suspended')
})

test('a revoked token, or a ticket issued for it, opens no socket, even while the isolate has an older status', async () => {
  listen(await open(ada))
  const ticket = await ticketOf(ada)
  await revokeTokensBefore(contextWith(), ada.id, ada.issuedAt)
  expect(await codeOf(await open(ada))).toBe('unauthorized')
  expect(await codeOf(await open(null, `?ticket=${ticket}`))).toBe('unauthorized')
  expect((await open({ ...ada, issuedAt: ada.issuedAt + 1 })).status).toBe(101)
})

test('a forged ticket returns 401 and reaches no hub', async () => {
  const ticket = await ticketOf(ada)
  const other = newViewer().id
  const hubs = async () => (await listDurableObjectIds(env.HUB)).length
  const before = await hubs()
  for (const made of [`${other}.secret`, `${other}.secret.${'A'.repeat(43)}`, ticket.replace(ada.id, other)]) {
    expect(await codeOf(await open(null, `?ticket=${made}`, {}))).toBe('unauthorized')
  }
  expect(await hubs()).toBe(before)
})

test('a socket needs a token or ticket, and sockets and tickets need the scope `realtime`', async () => {
  expect(await codeOf(await open(null))).toBe('unauthorized')
  expect(await codeOf(await open({ ...ada, scopes: new Set() }))).toBe('insufficient_scope')
  expect(await codeOf(await call({ ...ada, scopes: new Set() }, '/v1/realtime/tickets', { method: 'POST' }))).toBe(
    'insufficient_scope',
  )
})

test('a page of an unknown origin gets 403 instead of a socket, and its ticket stays valid', async () => {
  const { BASE_URL } = contextWith().config
  const ticket = await ticketOf(ada)
  const machine = 'http://localhost:5173'
  for (const origin of [
    'https://evil.example',
    'null',
    `${BASE_URL}.evil.example`,
    `${BASE_URL}/`,
    `${machine}.evil`,
  ]) {
    expect(await codeOf(await open(ada, '', { origin }))).toBe('forbidden')
    expect(await codeOf(await open(null, `?ticket=${ticket}`, { origin }))).toBe('forbidden')
  }
  expect((await open(null, `?ticket=${ticket}`, { origin: BASE_URL })).status).toBe(101)
  expect((await open(ada, '', { origin: machine })).status).toBe(101)
})

test('in production, pages of BASE_URL and REALTIME_ORIGINS get sockets, and pages of localhost do not', async () => {
  const set = { ENVIRONMENT: 'production', BASE_URL: 'https://social.org', PASSWORD_HASH_MEMORY_KIB: '19456' }
  const bindings = { ...env, ...set, REALTIME_ORIGINS: 'https://app.social.org,capacitor://localhost' }
  const from = (origin: string) => call(ada, '/v1/realtime', { headers: { ...upgrade, origin } }, bindings)
  for (const origin of ['https://app.social.org', 'capacitor://localhost', 'https://social.org']) {
    expect((await from(origin)).status).toBe(101)
  }
  for (const origin of ['http://localhost:5173', 'https://social.org.evil.example']) {
    expect(await codeOf(await from(origin))).toBe('forbidden')
  }
})

test('a request without a WebSocket upgrade returns 400, and a token in the query string is invalid', async () => {
  expect(await codeOf(await call(ada, '/v1/realtime'))).toBe('bad_request')
  expect((await call(ada, '/v1/realtime', { method: 'HEAD', headers: upgrade })).status).toBe(400)
  expect(await codeOf(await open(null, '?token=x'))).toBe('invalid')
})

test('the 17th socket of an account gets a rate_limited problem with Retry-After', async () => {
  const held = await Promise.all(Array.from({ length: 16 }, () => open(ada))) // or they are garbage, and close
  const refused = await open(ada)
  expect(held.map(({ status }) => status)).toEqual(Array(16).fill(101))
  expect(refused.headers.get('retry-after')).toBe('60')
  expect(await codeOf(refused)).toBe('rate_limited')
})

test('closeSockets closes the sockets of one session and leaves those of other sessions open', async () => {
  const mine = listen(await open(ada))
  const other = listen(await open({ ...ada, sessionId: 'login 2' }))
  await closeSockets(contextWith(), ada.id, 'logged out', { sessionIds: ['login 1'] })
  await soon(() => mine.closed())
  expect([mine.closed(), other.closed()]).toEqual([4001, undefined])
})

test('by default a socket joins the channels that admit its account, and any other channel is forbidden', async () => {
  const members: unknown[] = []
  const staff = defineChannel('staff', {
    frames,
    scope: posts,
    mayJoin: async (_, accountId) => members.includes(accountId),
  })
  const { call: ask } = smallApp(realtimeOperations([home, staff]))
  const channelsOf = async (query = '') => {
    const response = await ask(ada, `/v1/realtime${query}`, { headers: upgrade })
    if (response.status !== 101) return codeOf(response)
    const { frames } = listen(response)
    await soon(() => frames.length === 1)
    return frames[0]!.channels
  }
  expect([await channelsOf(), await channelsOf('?channels=staff')]).toEqual([['home'], 'forbidden'])
  members.push(ada.id)
  expect([await channelsOf(), await channelsOf('?channels=staff')]).toEqual([['home', 'staff'], ['staff']])
})

test('a frame whose data does not fit the schema of its channel throws', async () => {
  const strict = { ...home, frames: { post: z.object({ postId: Id }) } }
  const frame = { key: 'k', event: 'post', data: { postId: 'x' as Id } } as const
  expect(() => frameOf(strict, `account:${ada.id}`, frame)).toThrow()
})
