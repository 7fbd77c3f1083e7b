import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeAll, expect, test, vi } from 'vitest'
import { newApiKey, unknownKeyLimit } from '../../../src/platform/security/api-keys.ts'
import { accountsOn, registeredUser } from '../../support/actors.ts'
import { callWithKey, createdApiKey, insertApiKey, keyStatus } from '../../support/api-keys.ts'
import { type Budget, expectWithin } from '../../support/budgets.ts'
import { fetchWith } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { anotherIsolate } from '../../support/isolates.ts'
import { useUp } from '../../support/rate-limits.ts'

const clock = movableClock()
const HOUR_MS = 3_600_000

const costOf = (response: Response) => JSON.parse(response.headers.get('x-cost')!)
/** Sends a request to another isolate, which knows no keys. */
let other: Awaited<ReturnType<typeof anotherIsolate>>
const inOtherIsolate = async (key: string) =>
  (await other.fetch('/v1/accounts/me', { headers: { authorization: `Bearer ${key}` } })).status

beforeAll(async () => {
  other = await anotherIsolate()
})

async function expectCost(response: Response, status: number, budget: Budget): Promise<void> {
  expect(response.status).toBe(status)
  expectWithin(`a response with ${status}`, costOf(response), { directoryTrips: budget.trips ?? 0, ...budget })
}

test('creating, listing and deleting API keys, and the first request with one, stay within their budgets', async () => {
  const user = await registeredUser()
  await user.fetch('/v1/accounts/me') // reads the signing keys
  const json = { name: 'A bot', scopes: ['accounts:read'], days: 30 }
  const created = await user.fetch('/v1/me/api-keys', { method: 'POST', json })
  const create = { trips: 2, rowsRead: 16, rowsWritten: 14, objectCalls: 5, bucketCalls: 1, queueMessages: 2 }
  await expectCost(created.clone(), 201, create)
  const { id, key } = await created.json<{ id: string; key: string }>()
  await expectCost(await callWithKey(key), 200, { trips: 1, directoryTrips: 0, rowsRead: 3, objectCalls: 4 })
  await expectCost(await callWithKey(key), 200, { trips: 1, directoryTrips: 0, rowsRead: 3 })
  await expectCost(await user.fetch('/v1/me/api-keys'), 200, { trips: 1, rowsRead: 21, objectCalls: 2 })
  const remove = { trips: 1, rowsRead: 12, rowsWritten: 8, objectCalls: 4, bucketCalls: 1, queueMessages: 2 }
  await expectCost(await user.fetch(`/v1/me/api-keys/${id}`, { method: 'DELETE' }), 204, remove)
})

test('requests with a known key read no database for the key, and call the guard as seldom as those with a token', async () => {
  const ada = await registeredUser()
  const { key } = await createdApiKey(ada)
  const first = costOf(await callWithKey(key))
  const token = costOf(await ada.fetch('/v1/accounts/me'))
  expect(first).toMatchObject({ directoryTrips: 0, trips: token.trips })
  expect(first.objectCalls).toBeLessThanOrEqual(4)
  expect(costOf(await callWithKey(key))).toMatchObject({ directoryTrips: 0, objectCalls: 0 })
  clock.advance(LEASE_MS)
  const later = [costOf(await callWithKey(key)), costOf(await callWithKey(key))]
  expect(later).toMatchObject(Array(2).fill({ directoryTrips: 0 }))
  // One asks the feed, one the guard for what the feed lists, and the sixth request of the minute asks for a lease.
  expect(later[0].objectCalls + later[1].objectCalls).toBeLessThanOrEqual(3)
})

test('an empty guard reads the keys from the directory once, and never revives a key that was revoked', async () => {
  const ada = await registeredUser()
  const [key, revoked] = [await insertApiKey(ada.id), await insertApiKey(ada.id)]
  const guard = env.GUARD.getByName(`user:${ada.id}`)
  await guard.erase()
  await guard.endSession(`key:${revoked.id}`)
  expect(costOf(await callWithKey(key.key)).directoryTrips).toBe(1)
  expect(await keyStatus(revoked.key)).toBe(401)
  expect(costOf(await callWithKey((await insertApiKey(ada.id, { isStored: false })).key)).directoryTrips).toBe(0)
})

test('a made-up key costs one call of its guard, which stores nothing, and does not use up the limit of the account', async () => {
  const [stranger] = await accountsOn(0)
  const response = await callWithKey(newApiKey(stranger))
  expect(response.status).toBe(401)
  expect(costOf(response)).toMatchObject({ directoryTrips: 1, objectCalls: 2 }) // of these, one counts the address
  const guard = env.GUARD.getByName(`user:${stranger}`)
  const tables = await runInDurableObject(guard, (_, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_schema WHERE name = 'usage'").toArray(),
  )
  expect(tables).toEqual([])
  const ada = await registeredUser()
  await createdApiKey(ada)
  await callWithKey(newApiKey(ada.id))
  const answer = await ada.fetch('/v1/accounts/me')
  const before = Number(/r=(\d+)/.exec(answer.headers.get('ratelimit')!)![1])
  for (let i = 0; i < 5; i++) await callWithKey(newApiKey(ada.id))
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
  for (const { key } of [warm, gone]) expect(await keyStatus(key)).toBe(200)
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
  await callWithKey(key)
  const first = await usedAt()
  expect(first).toBeGreaterThan(Date.now() - 10_000)
  clock.advance(HOUR_MS / 2)
  expect(await inOtherIsolate(key)).toBe(200)
  expect(await usedAt()).toBe(first)
  clock.advance(HOUR_MS)
  const later = await callWithKey(key)
  expect(costOf(later)).toMatchObject({ rowsWritten: 0 })
  expect(await usedAt()).toBeGreaterThan(first! + HOUR_MS)
})
