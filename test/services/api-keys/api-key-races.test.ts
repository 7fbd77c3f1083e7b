import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { firstIdAt } from '../../../src/platform/data/ids.ts'
import { unknownKeyLimit } from '../../../src/platform/security/api-keys.ts'
import { endSessionsOfSuspended } from '../../../src/services/identity/revocation.ts'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { createdApiKey, insertApiKey, keyStatus } from '../../support/api-keys.ts'
import { directoryNumber, loggedIn, outcomeOf } from '../../support/auth.ts'
import { fetchWith } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { inBetween } from '../../support/in-between.ts'
import { drained, publishEvent } from '../../support/outboxes.ts'
import { contextWith } from '../../support/platform.ts'
import { useUp } from '../../support/rate-limits.ts'
import { mailedResetToken, resetWith } from '../../support/recovery.ts'

const clock = movableClock()
const HOUR_MS = 3_600_000
const body = { name: 'A bot', scopes: ['accounts:read'], days: 30 }

const createMeanwhile = (user: RegisteredUser, meanwhile: () => Promise<unknown>) =>
  inBetween(0, meanwhile, '/v1/me/api-keys', { method: 'POST', json: body, token: user.token })
const keysOf = ({ id }: RegisteredUser) =>
  directoryNumber('select count(*) n from api_keys where account_id = ?', Number(id))
/** As when the guard has deleted itself after a day. */
const eraseGuard = ({ id }: RegisteredUser) => env.GUARD.getByName(`user:${id}`).erase()

test('a key that is created while all other logins end is void, also after its guard has forgotten everything', async () => {
  const ada = await registeredUser()
  const { accessToken: token } = await loggedIn(ada)
  let key = ''
  const create = async () => {
    key = (await createdApiKey(ada)).key
    expect(await keyStatus(key)).toBe(200)
  }
  const ended = await inBetween(1, create, '/v1/me/sessions', { method: 'DELETE', token })
  expect(ended.status).toBe(204)
  expect(await keysOf(ada)).toBe(0)
  clock.advance(LEASE_MS)
  expect(await keyStatus(key)).toBe(401)
  await drained()
  await eraseGuard(ada)
  clock.advance(HOUR_MS)
  expect(await keyStatus(key)).toBe(401)
})

test('the event of ended logins voids the keys too, if the request was interrupted before it did', async () => {
  const ada = await registeredUser()
  const { key } = await createdApiKey(ada)
  await env.DIRECTORY.batch([
    env.DIRECTORY.prepare('delete from api_keys where account_id = ?').bind(Number(ada.id)),
    env.DIRECTORY.prepare('update users set keys_void_before = ? where id = ?').bind(Date.now(), Number(ada.id)),
  ])
  expect(await keyStatus(key)).toBe(200)
  await publishEvent('identity.other-sessions-ended', { accountId: ada.id, sessionIds: [] })
  await drained(ada.id)
  clock.advance(LEASE_MS)
  expect(await keyStatus(key)).toBe(401)
})

test('a suspension voids the keys even if the tokens were revoked later than it', async () => {
  const ada = await registeredUser()
  const { key } = await createdApiKey(ada)
  const suspendedAt = Date.now() + 100
  const later = suspendedAt + 5_000
  const set = 'update users set tokens_void_before = ? where id = ?'
  await env.DIRECTORY.prepare(set).bind(later, Number(ada.id)).run()
  await endSessionsOfSuspended(contextWith(), { accountId: ada.id }, firstIdAt(suspendedAt))
  const times = 'select count(*) n from users where id = ? and tokens_void_before = ? and keys_void_before > 0'
  expect(await directoryNumber(times, Number(ada.id), later)).toBe(1)
  clock.advance(LEASE_MS)
  expect(await keyStatus(key)).toBe(401)
})

test('a key is not created if its login ends, or a reset or another login ends all keys, before it is stored', async () => {
  const [ada, bob, cleo] = [await registeredUser(), await registeredUser(), await registeredUser()]
  const reset = async () => expect((await resetWith(await mailedResetToken(ada.id))).status).toBe(200)
  const logout = async () => expect((await bob.fetch('/v1/auth/logout', { method: 'POST' })).status).toBe(204)
  const endOthers = async () => {
    expect((await cleo.fetch('/v1/me/sessions', { method: 'DELETE' })).status).toBe(204)
  }
  const cases = [
    [ada, reset],
    [bob, logout],
    [cleo, endOthers],
  ] as const
  for (const [user, meanwhile] of cases) {
    expect(await outcomeOf(await createMeanwhile(user, meanwhile))).toEqual([401, 'unauthorized'])
    expect(await keysOf(user)).toBe(0)
  }
  expect((await createdApiKey(cleo)).key).toBeTruthy()
})

test('a key whose time is void stays void when an empty guard reads the keys', async () => {
  const ada = await registeredUser()
  const { key } = await insertApiKey(ada.id)
  await env.DIRECTORY.prepare('update users set keys_void_before = 1 where id = ?').bind(Number(ada.id)).run()
  await eraseGuard(ada)
  expect(await keyStatus(key)).toBe(401)
  expect(await (await ada.fetch('/v1/me/api-keys')).json()).toEqual({ items: [] })
})

test('a key that an isolate knew and that was revoked counts as unknown after its first refusal', async () => {
  const ada = await registeredUser()
  const { key, id } = await createdApiKey(ada)
  const address = '192.0.2.84'
  const send = async () => {
    const headers = { authorization: `Bearer ${key}`, 'cf-connecting-ip': address }
    return (await fetchWith(env, '/v1/accounts/me', { headers })).status
  }
  expect(await send()).toBe(200)
  await env.GUARD.getByName(`user:${ada.id}`).endSession(`key:${id}`)
  clock.advance(HOUR_MS)
  await useUp(unknownKeyLimit, address)
  expect([await send(), await send()]).toEqual([401, 429])
})
