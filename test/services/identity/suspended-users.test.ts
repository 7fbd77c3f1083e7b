import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { firstIdAt } from '../../../src/platform/data/ids.ts'
import { endSessionsOfSuspended } from '../../../src/services/identity/revocation.ts'
import { markSuspended, registeredUser, setRole } from '../../support/actors.ts'
import {
  directoryNumber,
  loggedIn,
  logIn,
  outcomeOf,
  readMe,
  refreshWith,
  socketWith,
  statusWith,
} from '../../support/auth.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { drained, publishEvent } from '../../support/outboxes.ts'
import { contextWith } from '../../support/platform.ts'

const clock = movableClock()
const suspended = [403, 'suspended']

test('a suspension ends the session and refuses logins; lifting it allows logins, but no old token works', async () => {
  const [moderator, lea] = await Promise.all([registeredUser('mod_susp'), registeredUser('lea_susp')])
  await setRole(moderator, 'moderator')
  const { closed } = await socketWith(lea.token)
  const suspension = (method: string) => moderator.fetch(`/v1/accounts/${lea.id}/suspension`, { method })
  expect((await suspension('PUT')).ok).toBe(true)
  clock.advance(LEASE_MS)
  expect(await outcomeOf(await readMe(lea.token))).toEqual(suspended)
  expect(await closed).toMatchObject({ reason: 'suspended' })
  await drained()
  expect((await refreshWith(lea.refreshToken)).status).toBe(401)
  expect(await outcomeOf(await logIn('lea_susp'))).toEqual(suspended)
  expect(await outcomeOf(await logIn('lea_susp', 'a guess at the password'))).toEqual([401, 'invalid_credentials'])

  expect((await suspension('DELETE')).ok).toBe(true)
  await drained()
  clock.advance(LEASE_MS)
  expect(await statusWith(lea.token)).toBe(401)
  expect((await refreshWith(lea.refreshToken)).status).toBe(401)
  expect(await statusWith((await loggedIn(lea)).accessToken)).toBe(200)
})

test('suspension events delivered late or out of order apply the state stored in the account row', async () => {
  const max = await registeredUser('max_susp')
  await markSuspended(max.id)
  const types = ['account.suspension-lifted', 'account.suspended', 'account.suspension-lifted']
  await Promise.all(types.map((type) => publishEvent(type, { accountId: max.id })))
  await drained(max.id)
  expect(await directoryNumber('select count(*) n from sessions where user_id = ?', Number(max.id))).toBe(0)
  clock.advance(LEASE_MS)
  expect(await statusWith(max.token)).toBe(403)
})

test('a suspension that was lifted before its event was processed still ends the sessions that are older than it', async () => {
  const nat = await registeredUser('nat_susp')
  clock.advance(1_000)
  await endSessionsOfSuspended(contextWith(), { accountId: nat.id }, firstIdAt(Date.now()))
  expect((await refreshWith(nat.refreshToken)).status).toBe(401)
  clock.advance(LEASE_MS)
  expect(await statusWith(nat.token)).toBe(401)
  const later = await loggedIn(nat)
  expect(await statusWith(later.accessToken)).toBe(200)
})

test('a suspension event processed after the suspension was lifted still revokes the older access tokens', async () => {
  const ned = await registeredUser('ned_susp')
  await env.DIRECTORY.prepare('update users set tokens_void_before = ? where id = ?')
    .bind(Date.now(), Number(ned.id))
    .run()
  await publishEvent('account.suspended', { accountId: ned.id })
  await drained(ned.id)
  clock.advance(LEASE_MS)
  expect(await statusWith(ned.token)).toBe(401)
})

test('login and refresh return 403 for a suspended user even before the suspension event is processed', async () => {
  const mia = await registeredUser('mia_susp')
  await markSuspended(mia.id)
  expect(await outcomeOf(await logIn('mia_susp'))).toEqual(suspended)
  expect(await outcomeOf(await refreshWith(mia.refreshToken))).toEqual(suspended)
})
