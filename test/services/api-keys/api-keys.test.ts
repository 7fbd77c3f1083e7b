import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { newApiKey, unknownKeyLimit } from '../../../src/platform/security/api-keys.ts'
import { declaredScopes, grantableScopes } from '../../../src/platform/security/scopes.ts'
import { accountsOn, type RegisteredUser, registeredUser, setRole } from '../../support/actors.ts'
import { createdApiKey, insertApiKey } from '../../support/api-keys.ts'
import { auditOf } from '../../support/audit.ts'
import { directoryNumber, directoryRow, outcomeOf } from '../../support/auth.ts'
import { anonymousClient, fetchWith, postJson } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { anotherIsolate } from '../../support/isolates.ts'
import { drained, publishEvent } from '../../support/outboxes.ts'
import { useUp } from '../../support/rate-limits.ts'

const clock = movableClock()
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

const as = (key: string, path = '/accounts/me', init: RequestInit & { json?: unknown } = {}) =>
  anonymousClient().fetch(`/v1${path}`, { ...init, headers: { authorization: `Bearer ${key}` } })
const statusOf = async (key: string, path?: string, init?: RequestInit & { json?: unknown }) =>
  (await as(key, path, init)).status
const remove = (user: RegisteredUser, id: Id) => user.fetch(`/v1/me/api-keys/${id}`, { method: 'DELETE' })
type Listed = { items: { id: Id; name: string; lastUsedAt: string | null }[] }
const list = async (user: RegisteredUser) => (await (await user.fetch('/v1/me/api-keys')).json<Listed>()).items
const costOf = (response: Response) => JSON.parse(response.headers.get('x-cost')!)
/** Sends a request to another isolate, which knows no keys. */
let other: Awaited<ReturnType<typeof anotherIsolate>>
const inOtherIsolate = async (key: string) =>
  (await other.fetch('/v1/accounts/me', { headers: { authorization: `Bearer ${key}` } })).status

beforeAll(async () => {
  other = await anotherIsolate()
})

test('a key posts in the name of its account, is listed without its secret, and is stored as a hash only', async () => {
  const ada = await registeredUser()
  const { key, ...created } = await createdApiKey(ada, {
    name: ' Weather\nbot ',
    scopes: ['posts:write', 'posts:write'],
  })
  expect(key).toMatch(new RegExp(`^sc_${ada.id}_[0-9a-f]{72}$`))
  expect(created).toMatchObject({ name: 'Weather bot', scopes: ['posts:write'], lastUsedAt: null })
  const post = await as(key, '/posts', { method: 'POST', json: { text: 'Rain' } })
  expect(await post.json()).toMatchObject({ author: { id: ada.id } })
  expect(await list(ada)).toEqual([{ ...created, lastUsedAt: expect.any(String) }])
  const row = await directoryRow('select * from api_keys where id = ?', Number(created.id))
  expect(JSON.stringify(row)).not.toContain(key.slice(-72, -8))
})

test('a key works on GraphQL and opens sockets, and has only its scopes on each surface', async () => {
  const ada = await registeredUser()
  const { key } = await createdApiKey(ada, { scopes: ['accounts:read', 'realtime'] })
  const graph = (query: string) =>
    anonymousClient().fetch('/graphql', {
      method: 'POST',
      json: { query },
      headers: { authorization: `Bearer ${key}` },
    })
  expect(await (await graph('{ me { id handle } }')).json()).toMatchObject({ data: { me: { handle: ada.handle } } })
  const refused = await (await graph('mutation { createPost(input: { text: "No" }) { id } }')).json<{
    errors: object[]
  }>()
  expect(refused.errors).toMatchObject([{ extensions: { code: 'insufficient_scope' } }])
  expect(await outcomeOf(await as(key, '/posts', { method: 'POST', json: { text: 'No' } }))).toEqual([
    403,
    'insufficient_scope',
  ])
  const ticket = await (await as(key, '/realtime/tickets', { method: 'POST' })).json<{ ticket: string }>()
  const socket = await anonymousClient().fetch(`/v1/realtime?ticket=${ticket.ticket}`, {
    headers: { upgrade: 'websocket' },
  })
  expect(socket.status).toBe(101)
  socket.webSocket!.accept()
  socket.webSocket!.close()
})

test('the key of an administrator has the rights of a user, and no scope of the staff', async () => {
  const admin = await registeredUser()
  await setRole(admin, 'admin')
  const { key } = await createdApiKey(admin)
  expect(await statusOf(key, '/audit')).toBe(403)
  expect(grantableScopes()).toEqual([...declaredScopes().keys()].filter((name) => name !== 'moderation'))
  for (const scopes of [['moderation'], ['posts:read', 'everything'], ['']]) {
    const response = await postJson('/v1/me/api-keys', { name: 'x', scopes, expiresInDays: 1 }, admin)
    expect(await outcomeOf(response)).toEqual([422, 'invalid'])
  }
})

test('a key with an invalid name, scope or lifetime is refused, and nothing is stored', async () => {
  const ada = await registeredUser()
  const invalid = [
    { expiresInDays: 366 },
    { expiresInDays: 0 },
    { expiresInDays: 1.5 },
    { expiresInDays: undefined },
    { scopes: [] },
    { name: '' },
    { name: '\u200b \n' },
    { name: 'x'.repeat(51) },
    { key: 'sc_1' },
  ]
  for (const input of invalid) {
    const body = { name: 'A bot', scopes: ['posts:read'], expiresInDays: 30, ...input }
    expect((await postJson('/v1/me/api-keys', body, ada)).status, JSON.stringify(input)).toBe(422)
  }
  expect(await list(ada)).toEqual([])
})

test('an account has at most 20 keys, also if they are created at once, and an expired one does not count', async () => {
  const ada = await registeredUser()
  for (let i = 0; i < 17; i++) await insertApiKey(ada.id)
  await insertApiKey(ada.id, { expiresIn: -1 })
  const create = () => postJson('/v1/me/api-keys', { name: 'A bot', scopes: ['posts:read'], expiresInDays: 30 }, ada)
  const answers = await Promise.all(Array.from({ length: 5 }, create))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 409, 409])
  expect(await outcomeOf(await create())).toEqual([409, 'too_many_api_keys'])
  expect(await list(ada)).toHaveLength(20)
})

test('a deleted key is refused at the next request, and two seconds later in an isolate that knew it', async () => {
  const ada = await registeredUser()
  const [key, kept] = [await createdApiKey(ada), await createdApiKey(ada)]
  expect([await statusOf(key.key), await inOtherIsolate(key.key)]).toEqual([200, 200])
  expect((await remove(ada, key.id)).status).toBe(204)
  expect(await outcomeOf(await as(key.key))).toEqual([401, 'unauthorized'])
  clock.advance(LEASE_MS)
  expect(await inOtherIsolate(key.key)).toBe(401)
  expect([await statusOf(kept.key), await inOtherIsolate(kept.key)]).toEqual([200, 200])
  expect((await remove(ada, key.id)).status).toBe(404)
  expect((await remove(await registeredUser(), kept.id)).status).toBe(404)
  expect(await statusOf(kept.key)).toBe(200)
})

test('deleting a key closes its sockets and no others, and a ticket of the key opens none', async () => {
  const ada = await registeredUser()
  const [key, kept] = [await createdApiKey(ada), await createdApiKey(ada)]
  const open = async (token: string) => {
    const { webSocket } = await as(token, '/realtime', {}).then(() =>
      anonymousClient().fetch('/v1/realtime', { headers: { upgrade: 'websocket', authorization: `Bearer ${token}` } }),
    )
    webSocket!.accept()
    const closed = vi.fn()
    webSocket!.addEventListener('close', closed)
    return { closed, done: new Promise<CloseEvent>((resolve) => webSocket!.addEventListener('close', resolve)) }
  }
  const [first, second, own] = [await open(key.key), await open(kept.key), await open(ada.token)]
  const { ticket } = await (await as(key.key, '/realtime/tickets', { method: 'POST' })).json<{ ticket: string }>()
  await remove(ada, key.id)
  expect(await first.done).toMatchObject({ code: 4001 })
  expect([second.closed, own.closed].map((each) => each.mock.calls.length)).toEqual([0, 0])
  const headers = { upgrade: 'websocket' }
  expect((await anonymousClient().fetch(`/v1/realtime?ticket=${ticket}`, { headers })).status).toBe(401)
})

test('the event alone revokes a deleted key, and the event alone makes a new one work', async () => {
  const ada = await registeredUser()
  const key = await createdApiKey(ada)
  await publishEvent('api-keys.deleted', { accountId: ada.id, apiKeyId: key.id })
  await drained(ada.id)
  clock.advance(LEASE_MS)
  expect(await statusOf(key.key)).toBe(401)
  const later = await insertApiKey(ada.id)
  expect(await statusOf(later.key)).toBe(401)
  await publishEvent('api-keys.created', { accountId: ada.id, apiKeyId: later.id })
  await drained(ada.id)
  expect(await statusOf(later.key)).toBe(200)
})

test('a key expires, and an isolate that knew it refuses it too', async () => {
  const ada = await registeredUser()
  const { key } = await createdApiKey(ada, { expiresInDays: 1 })
  const { key: short } = await insertApiKey(ada.id, { expiresIn: 1_000 })
  expect(await statusOf(key)).toBe(200)
  clock.advance(1_000)
  expect(await statusOf(short)).toBe(401)
  clock.advance(DAY_MS)
  const response = await as(key)
  expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
  expect(await response.json()).toMatchObject({ code: 'unauthorized' })
})

test('requests with a known key read no database for the key, and call the guard as seldom as those with a token', async () => {
  const ada = await registeredUser()
  const { key } = await createdApiKey(ada)
  const first = costOf(await as(key))
  const token = costOf(await ada.fetch('/v1/accounts/me'))
  expect(first).toMatchObject({ directoryTrips: 0, trips: token.trips })
  expect(first.objectCalls).toBeLessThanOrEqual(4)
  expect(costOf(await as(key))).toMatchObject({ directoryTrips: 0, objectCalls: 0 })
  clock.advance(LEASE_MS)
  expect(costOf(await as(key))).toMatchObject({ directoryTrips: 0, objectCalls: 1 })
})

test('an empty guard reads the keys from the directory once, and never revives a key that was revoked', async () => {
  const ada = await registeredUser()
  const [key, revoked] = [await insertApiKey(ada.id), await insertApiKey(ada.id)]
  const guard = env.GUARD.getByName(`user:${ada.id}`)
  await guard.erase()
  await guard.endSession(`key:${revoked.id}`)
  expect(costOf(await as(key.key)).directoryTrips).toBe(1)
  expect(await statusOf(revoked.key)).toBe(401)
  expect(costOf(await as((await insertApiKey(ada.id)).key)).directoryTrips).toBe(0)
})

test('a made-up key costs one call of its guard, which stores nothing, and does not use up the limit of the account', async () => {
  const [stranger] = await accountsOn(0)
  const response = await as(newApiKey(stranger))
  expect(response.status).toBe(401)
  expect(costOf(response)).toMatchObject({ directoryTrips: 1, objectCalls: 3 }) // of these, two count the address
  const guard = env.GUARD.getByName(`user:${stranger}`)
  const tables = await runInDurableObject(guard, (_, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_schema WHERE name = 'usage'").toArray(),
  )
  expect(tables).toEqual([])
  const ada = await registeredUser()
  await createdApiKey(ada)
  await as(newApiKey(ada.id))
  const answer = await ada.fetch('/v1/accounts/me')
  const before = Number(/r=(\d+)/.exec(answer.headers.get('ratelimit')!)![1])
  for (let i = 0; i < 5; i++) await as(newApiKey(ada.id))
  const after = Number(/r=(\d+)/.exec((await ada.fetch('/v1/accounts/me')).headers.get('ratelimit')!)![1])
  expect(before - after).toBe(1)
})

test('above the limit of its address, unknown keys wake no guard, and known keys still pass', async () => {
  const ada = await registeredUser()
  const { key } = await createdApiKey(ada)
  const address = '192.0.2.61'
  await useUp(unknownKeyLimit, address)
  const woken: string[] = []
  const getByName = (name: string) => {
    woken.push(name)
    return env.GUARD.getByName(name)
  }
  const send = (token: string, from = address) =>
    fetchWith({ ...env, GUARD: { getByName } }, '/v1/accounts/me', {
      headers: { authorization: `Bearer ${token}`, 'cf-connecting-ip': from },
    })
  expect((await send(key, '192.0.2.62')).status).toBe(200)
  woken.length = 0
  const accounts = await accountsOn(0, 1, 0)
  for (const id of accounts) expect((await send(newApiKey(id))).status).toBe(429)
  expect(woken.filter((name) => name.startsWith('user:'))).toEqual([])
  expect((await send(key)).status).toBe(200)
})

test('while the guard is down, keys are read from the directory, and deleted ones are refused', async () => {
  const ada = await registeredUser()
  const [fresh, warm, gone] = [await createdApiKey(ada), await createdApiKey(ada), await createdApiKey(ada)]
  for (const { key } of [warm, gone]) expect(await statusOf(key)).toBe(200)
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const down = () => Promise.reject(new Error('down'))
  const GUARD = { getByName: () => ({ lease: down, useKey: down, storeKeys: down, endSession: down, refund: down }) }
  const send = async (key: string) => {
    clock.advance(LEASE_MS)
    return (await fetchWith({ ...env, GUARD }, '/v1/accounts/me', { headers: { authorization: `Bearer ${key}` } }))
      .status
  }
  await env.DIRECTORY.prepare('DELETE FROM api_keys WHERE id = ?').bind(Number(gone.id)).run()
  expect([await send(fresh.key), await send(warm.key), await send(gone.key)]).toEqual([200, 200, 401])
  expect(await send(newApiKey(ada.id))).toBe(401)
  vi.restoreAllMocks()
})

test('the guard notes the use of a key at most once an hour, and no request writes to a database for it', async () => {
  const ada = await registeredUser()
  const { key, id } = await createdApiKey(ada)
  const usedAt = async () => (await env.GUARD.getByName(`user:${ada.id}`).keyUses())[id]
  await as(key)
  const first = await usedAt()
  expect(first).toBeGreaterThan(Date.now() - 10_000)
  clock.advance(HOUR_MS / 2)
  expect(await inOtherIsolate(key)).toBe(200)
  expect(await usedAt()).toBe(first)
  clock.advance(HOUR_MS)
  const later = await as(key)
  expect(costOf(later)).toMatchObject({ rowsWritten: 0 })
  expect(await usedAt()).toBeGreaterThan(first! + HOUR_MS)
})

test('creating and deleting a key are audited and mailed', async () => {
  const ada = await registeredUser()
  const { id } = await createdApiKey(ada, { name: 'Weather bot' })
  const mailed = () => directoryNumber('select count(*) n from mails where account_id = ?', Number(ada.id))
  expect(await mailed()).toBeGreaterThan(0)
  await remove(ada, id)
  await drained()
  const entries = (await auditOf(ada.id)).filter(({ action }) => action.startsWith('api-key'))
  expect(entries.map(({ action, actorId }) => [action, actorId]).sort()).toEqual([
    ['api-key-created', ada.id],
    ['api-key-deleted', ada.id],
  ])
})
