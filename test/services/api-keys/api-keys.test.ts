import { beforeAll, expect, test, vi } from 'vitest'
import type { Id } from '../../../src/platform/data/ids.ts'
import { declaredScopes, grantableScopes } from '../../../src/platform/security/scopes.ts'
import { type RegisteredUser, registeredUser, setRole } from '../../support/actors.ts'
import { callWithKey, createdApiKey, insertApiKey, keyStatus } from '../../support/api-keys.ts'
import { auditOf } from '../../support/audit.ts'
import { directoryNumber, directoryRow, outcomeOf } from '../../support/auth.ts'
import { anonymousClient, postJson } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { anotherIsolate } from '../../support/isolates.ts'
import { drained, publishEvent } from '../../support/outboxes.ts'
import { mailedResetToken, resetWith } from '../../support/recovery.ts'

const clock = movableClock()
const DAY_MS = 86_400_000

const remove = (user: RegisteredUser, id: Id) => user.fetch(`/v1/me/api-keys/${id}`, { method: 'DELETE' })
type Listed = { items: { id: Id; name: string; lastUsedAt: string | null }[] }
const list = async (user: RegisteredUser) => (await (await user.fetch('/v1/me/api-keys')).json<Listed>()).items
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
  const post = await callWithKey(key, '/posts', { method: 'POST', json: { text: 'Rain' } })
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
  expect(await outcomeOf(await callWithKey(key, '/posts', { method: 'POST', json: { text: 'No' } }))).toEqual([
    403,
    'insufficient_scope',
  ])
  const ticket = await (await callWithKey(key, '/realtime/tickets', { method: 'POST' })).json<{ ticket: string }>()
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
  expect(await keyStatus(key, '/audit')).toBe(403)
  const staffOnly = ['moderation', 'analytics']
  expect(grantableScopes()).toEqual([...declaredScopes().keys()].filter((name) => !staffOnly.includes(name)))
  for (const scopes of [['moderation'], ['analytics'], ['posts:read', 'everything'], ['']]) {
    const response = await postJson('/v1/me/api-keys', { name: 'x', scopes, days: 1 }, admin)
    expect(await outcomeOf(response)).toEqual([422, 'invalid'])
  }
})

test('a key with an invalid name, scope or lifetime is refused, and nothing is stored', async () => {
  const ada = await registeredUser()
  const invalid = [
    { days: 366 },
    { days: 0 },
    { days: 1.5 },
    { days: undefined },
    { scopes: [] },
    { name: '' },
    { name: '\u200b \n' },
    { name: 'x'.repeat(51) },
    { key: 'sc_1' },
  ]
  for (const input of invalid) {
    const body = { name: 'A bot', scopes: ['posts:read'], days: 30, ...input }
    expect((await postJson('/v1/me/api-keys', body, ada)).status, JSON.stringify(input)).toBe(422)
  }
  expect(await list(ada)).toEqual([])
})

test('an account has at most 20 keys, also if they are created at once, and an expired one does not count', async () => {
  const ada = await registeredUser()
  for (let i = 0; i < 17; i++) await insertApiKey(ada.id)
  await insertApiKey(ada.id, { expiresIn: -1 })
  const create = () => postJson('/v1/me/api-keys', { name: 'A bot', scopes: ['posts:read'], days: 30 }, ada)
  const answers = await Promise.all(Array.from({ length: 5 }, create))
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 409, 409])
  expect(await outcomeOf(await create())).toEqual([409, 'too_many_api_keys'])
  expect(await list(ada)).toHaveLength(20)
})

test('a deleted key is refused at the next request, and two seconds later in an isolate that knew it', async () => {
  const ada = await registeredUser()
  const [key, kept] = [await createdApiKey(ada), await createdApiKey(ada)]
  expect([await keyStatus(key.key), await inOtherIsolate(key.key)]).toEqual([200, 200])
  expect((await remove(ada, key.id)).status).toBe(204)
  expect(await outcomeOf(await callWithKey(key.key))).toEqual([401, 'unauthorized'])
  clock.advance(LEASE_MS)
  expect(await inOtherIsolate(key.key)).toBe(401)
  expect([await keyStatus(kept.key), await inOtherIsolate(kept.key)]).toEqual([200, 200])
  expect((await remove(ada, key.id)).status).toBe(404)
  expect((await remove(await registeredUser(), kept.id)).status).toBe(404)
  expect(await keyStatus(kept.key)).toBe(200)
})

test('deleting a key closes its sockets and no others, and a ticket of the key opens none', async () => {
  const ada = await registeredUser()
  const [key, kept] = [await createdApiKey(ada), await createdApiKey(ada)]
  const open = async (token: string) => {
    const { webSocket } = await callWithKey(token, '/realtime', {}).then(() =>
      anonymousClient().fetch('/v1/realtime', { headers: { upgrade: 'websocket', authorization: `Bearer ${token}` } }),
    )
    webSocket!.accept()
    const closed = vi.fn()
    webSocket!.addEventListener('close', closed)
    return { closed, done: new Promise<CloseEvent>((resolve) => webSocket!.addEventListener('close', resolve)) }
  }
  const [first, second, own] = [await open(key.key), await open(kept.key), await open(ada.token)]
  const { ticket } = await (await callWithKey(key.key, '/realtime/tickets', { method: 'POST' })).json<{
    ticket: string
  }>()
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
  expect(await keyStatus(key.key)).toBe(401)
  const later = await insertApiKey(ada.id, { isStored: false })
  expect(await keyStatus(later.key)).toBe(401)
  await publishEvent('api-keys.created', { accountId: ada.id, apiKeyId: later.id })
  await drained(ada.id)
  expect(await keyStatus(later.key)).toBe(200)
})

test('a key expires, and an isolate that knew it refuses it too', async () => {
  const ada = await registeredUser()
  const { key } = await createdApiKey(ada, { days: 1 })
  const { key: short } = await insertApiKey(ada.id, { expiresIn: 1_000 })
  expect(await keyStatus(key)).toBe(200)
  clock.advance(1_000)
  expect(await keyStatus(short)).toBe(401)
  clock.advance(DAY_MS)
  const response = await callWithKey(key)
  expect(response.headers.get('www-authenticate')).toBe('Bearer error="invalid_token"')
  expect(await response.json()).toMatchObject({ code: 'unauthorized' })
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

test.each(['a reset', 'a suspension', 'ending all other logins'])(
  '%s closes the sockets of a key, and an isolate that still accepts the key opens no new one',
  async (end) => {
    const [ada, admin] = [await registeredUser(), await registeredUser()]
    await setRole(admin, 'admin')
    const { key } = await createdApiKey(ada)
    const headers = { upgrade: 'websocket', authorization: `Bearer ${key}`, 'cf-connecting-ip': '192.0.2.85' }
    const open = () => other.fetch('/v1/realtime', { headers })
    const first = await open()
    expect(first.status).toBe(101)
    first.webSocket!.accept()
    const closed = new Promise<CloseEvent>((resolve) => first.webSocket!.addEventListener('close', resolve))
    if (end === 'a reset') await resetWith(await mailedResetToken(ada.id))
    else if (end === 'a suspension') await admin.fetch(`/v1/accounts/${ada.id}/suspension`, { method: 'PUT' })
    else await ada.fetch('/v1/me/sessions', { method: 'DELETE' })
    expect((await closed).code).toBe(4001)
    expect([401, 403]).toContain((await open()).status)
  },
)
