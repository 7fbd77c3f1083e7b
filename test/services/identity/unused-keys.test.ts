import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import { sealFor } from '../../../src/platform/security/account-keys.ts'
import { deleteUnusedKeys } from '../../../src/services/identity/unused-keys.ts'
import { registeredUser } from '../../support/actors.ts'
import { outcomeOf, register } from '../../support/auth.ts'
import { unusedId } from '../../support/databases.ts'
import { inMode } from '../../support/modes.ts'
import { contextWith } from '../../support/platform.ts'
import { changeAddress, confirmAddress, mailedAddressToken } from '../../support/recovery.ts'
import { until } from '../../support/until.ts'

const DAY_MS = 86_400_000
const tomorrow = () => Object.assign(contextWith(), { now: () => Date.now() + DAY_MS + 1_000 })
const hasKey = async (id: string | number) => (await env.KEYS.head(`accounts/${id}`)) !== null
const keys = async () => (await env.KEYS.list({ prefix: 'accounts/' })).objects.map(({ key }) => key)
const reservationOf = async (handle: string) =>
  (await env.DIRECTORY.prepare('select account_id id from handles where handle = ?')
    .bind(handle)
    .first<{ id: number }>())!.id
const run = (sql: string, ...values: unknown[]) =>
  env.DIRECTORY.prepare(sql)
    .bind(...values)
    .run()

beforeEach(() => env.CACHE.delete('identity:checked-keys'))

test('a refused registration leaves no key', async () => {
  await registeredUser('key_ada')
  const before = await keys()
  expect(await outcomeOf(await register('key_ada', { email: 'key_eve@example.com' }))).toEqual([409, 'handle_taken'])
  expect((await inMode('invitation').register('key_eve', { invitation: 'made up' })).status).toBe(422)
  await vi.waitFor(async () => expect(await keys()).toEqual(before), { timeout: 25_000 })
})

test('the keys of reservations end with them when their address moves to an account', async () => {
  const [bob, cem] = [await registeredUser('key_bob'), await registeredUser('key_cem')]
  await register('key_bob_2', { email: 'key_bob@example.com' })
  const reservation = await reservationOf('key_bob_2')
  expect(await hasKey(reservation)).toBe(true)
  await run("update users set email = 'elsewhere' where id = ?", Number(bob.id))
  await changeAddress(cem, 'key_bob@example.com')
  expect((await confirmAddress(await mailedAddressToken(cem.id, 'key_bob@example.com'))).status).toBe(204)
  await until(async () => !(await hasKey(reservation)))
  expect(await hasKey(cem.id)).toBe(true)
})

test('keys without an account are deleted after a day; accounts, reservations and erasures keep theirs', async () => {
  const [dan, erased] = [await registeredUser('key_dan'), await registeredUser('key_erased')]
  await register('key_fay')
  await register('key_dan_2', { email: 'key_dan@example.com' })
  const reserved = [await reservationOf('key_fay'), await reservationOf('key_dan_2')]
  const [orphan, beingErased] = [unusedId(0), unusedId(1)]
  for (const id of [orphan, beingErased]) await sealFor(contextWith(), id, 'text', 'note')
  await run('insert into deletions (account_id, requested_at, erase_at, started_at) values (?, 1, 1, 1)', beingErased)
  await run("update handles set address = '', reserved_until = 9e15 where account_id = ?", Number(erased.id))
  await run('delete from users where id = ?', Number(erased.id))
  await env.KEYS.put('accounts/not an id', 'x')

  await deleteUnusedKeys(contextWith())
  expect(await hasKey(orphan)).toBe(true)
  await deleteUnusedKeys(tomorrow())
  expect(await Promise.all([orphan, erased.id].map(hasKey))).toEqual([false, false])
  expect(await Promise.all([dan.id, ...reserved, beingErased].map(hasKey))).toEqual([true, true, true, true])
  await run('delete from deletions where account_id = ?', beingErased)
})

test('the check of the keys continues after an interruption, and starts over at the end', async () => {
  const [first, last] = [unusedId(0), unusedId(1)].sort()
  for (const id of [first!, last!]) await sealFor(contextWith(), id, 'text', 'note')
  await env.CACHE.put('identity:checked-keys', `accounts/${first}`)
  await deleteUnusedKeys(tomorrow())
  expect([await hasKey(first!), await hasKey(last!)]).toEqual([true, false])
  await deleteUnusedKeys(tomorrow())
  expect(await hasKey(first!)).toBe(false)
})
