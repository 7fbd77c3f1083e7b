import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { firstIdAt } from '../../../src/platform/data/ids.ts'
import { endSessionsOfSuspended } from '../../../src/services/identity/revocation.ts'
import type { Tokens } from '../../../src/services/identity/views.ts'
import { markSuspended, PASSWORD, registeredUser, setRole } from '../../support/actors.ts'
import { createdApiKey } from '../../support/api-keys.ts'
import {
  claimsOf,
  directoryNumber,
  loggedIn,
  logIn,
  outcomeOf,
  readMe,
  refreshWith,
  socketWith,
  statusWith,
} from '../../support/auth.ts'
import { anonymousClient } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { connect, registeredApp } from '../../support/oauth.ts'
import { drained, publishEvent } from '../../support/outboxes.ts'
import { contextWith } from '../../support/platform.ts'

const clock = movableClock()
const suspended = [403, 'suspended']

test('a suspension ends the session and restricts logins; lifting it lifts the restriction, but no old token works', async () => {
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
  const restricted = await loggedIn(lea)
  expect(await outcomeOf(await readMe(restricted.accessToken))).toEqual(suspended)
  expect(await outcomeOf(await logIn('lea_susp', 'a guess at the password'))).toEqual([401, 'invalid_credentials'])

  expect((await suspension('DELETE')).ok).toBe(true)
  await drained()
  clock.advance(LEASE_MS)
  expect(await statusWith(lea.token)).toBe(401)
  expect((await refreshWith(lea.refreshToken)).status).toBe(401)
  // The token says that it is restricted, so the guard need not know.
  expect(await outcomeOf(await readMe(restricted.accessToken))).toEqual(suspended)
  const renewed = await (await refreshWith(restricted.refreshToken)).json<Tokens>()
  expect([renewed.suspended, await statusWith(renewed.accessToken)]).toEqual([undefined, 200])
})

const withToken = (accessToken: string, path: string, method = 'GET', json?: object) =>
  anonymousClient().fetch(path, { method, headers: { authorization: `Bearer ${accessToken}` }, json })

test('a suspended person exports and deletes the account and logs out, and can do nothing else', async () => {
  const kim = await registeredUser('kim_susp')
  const { key } = await createdApiKey(kim, { scopes: ['privacy'] })
  const tokens = await connect(kim, await registeredApp(kim))
  await markSuspended(kim.id)
  await env.GUARD.getByName(`user:${kim.id}`).setSuspended(true)
  clock.advance(LEASE_MS)
  const { accessToken, refreshToken, suspended: isTold } = await loggedIn(kim)
  expect(isTold).toBe(true)
  const { scope, role } = claimsOf(accessToken)
  expect([scope.split(' ').sort(), role]).toEqual([
    ['accounts:read', 'accounts:write', 'offline_access', 'privacy'],
    'user',
  ])
  const call = async (path: string, method?: string, json?: object) =>
    (await outcomeOf(await withToken(accessToken, path, method, json))).slice(0, 2)
  for (const path of [
    '/v1/accounts/me',
    '/v1/feeds/home',
    '/v1/posts',
    '/v1/me/identity',
    '/v1/me/sessions',
    '/v1/me/apps',
  ]) {
    expect([path, ...(await call(path))]).toEqual([path, ...suspended])
  }
  expect(await call('/v1/accounts/me', 'PATCH', { bio: 'x' })).toEqual(suspended)
  expect(await call('/v1/realtime/tickets', 'POST')).toEqual(suspended)
  expect((await call('/v1/me/exports', 'POST'))[0]).toBe(202)
  expect((await call('/v1/me/exports'))[0]).toBe(200)
  expect((await withToken(accessToken, '/v1/auth/confirm', 'POST', { password: PASSWORD })).status).toBe(204)
  for (const program of [key, tokens.access_token]) {
    expect(await outcomeOf(await withToken(program, '/v1/me/exports'))).toEqual(suspended)
  }
  const renewed = await (await refreshWith(refreshToken)).json<Tokens>()
  expect([renewed.suspended, claimsOf(renewed.accessToken).scope]).toEqual([true, scope])
  expect((await withToken(renewed.accessToken, '/v1/auth/logout', 'POST')).status).toBe(204)
  expect((await refreshWith(renewed.refreshToken)).status).toBe(401)
  const again = await loggedIn(kim)
  expect((await withToken(again.accessToken, '/v1/me', 'DELETE')).status).toBe(202)
  const deletions = 'select count(*) n from deletions where account_id = ?'
  expect(await directoryNumber(deletions, Number(kim.id))).toBe(1)
  expect(await loggedIn(kim)).toMatchObject({ suspended: true, deletionCancelled: true })
  expect(await directoryNumber(deletions, Number(kim.id))).toBe(0)
  expect((await anonymousClient().fetch(`/v1/accounts/${kim.id}`)).status).toBe(404)
})

test('a moderator who was suspended is no moderator, and a field of GraphQL is as restricted as its operation', async () => {
  const moe = await registeredUser('moe_susp')
  await setRole(moe, 'moderator')
  await markSuspended(moe.id)
  await env.GUARD.getByName(`user:${moe.id}`).setSuspended(true)
  clock.advance(LEASE_MS)
  const { accessToken } = await loggedIn(moe)
  expect(claimsOf(accessToken).role).toBe('user')
  const query = async (text: string) =>
    (await withToken(accessToken, '/graphql', 'POST', { query: text })).json<{
      data: { exports?: { items: object[] } } | null
      errors?: { extensions: { code: string } }[]
    }>()
  expect((await query('{ me { handle } }')).errors?.[0]?.extensions.code).toBe('suspended')
  expect((await query('{ exports { items { id } } }')).data?.exports?.items).toEqual([])
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

test('before the event of a suspension, new logins are restricted, and only logins that are newer can refresh', async () => {
  const mia = await registeredUser('mia_susp')
  await markSuspended(mia.id)
  expect(await loggedIn(mia)).toMatchObject({ suspended: true })
  expect(await (await refreshWith(mia.refreshToken)).json()).toMatchObject({ suspended: true })
  const older = await registeredUser()
  await markSuspended(older.id, Date.now())
  expect(await outcomeOf(await refreshWith(older.refreshToken))).toEqual([401, 'invalid_credentials'])
  clock.advance(1)
  const newer = await loggedIn(older)
  expect(await (await refreshWith(newer.refreshToken)).json()).toMatchObject({ suspended: true })
})
