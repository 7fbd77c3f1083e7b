import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { deleteLapsed } from '../../../src/services/identity/jobs.ts'
import { signingKeys } from '../../../src/services/identity/signing-keys.ts'
import type { Tokens } from '../../../src/services/identity/views.ts'
import { mailedToken, markSuspended, PASSWORD, refresh, registeredUser } from '../../support/actors.ts'
import { claimsOf, directoryNumber, loggedIn, refreshWith, statusWith } from '../../support/auth.ts'
import { anonymousClient, fetchWith, postJson } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { withLaggingReplicas } from '../../support/replica-lag.ts'
import { until } from '../../support/until.ts'

const GRACE_MS = 30_000
const DAY_MS = 86_400_000
const clock = movableClock()

const refreshed = async (refreshToken: string): Promise<Tokens> => (await refreshWith(refreshToken)).json()
const runJob = () => deleteLapsed(createContext({ env, waitUntil: () => {} }))

test('a refresh returns a new refresh token and a valid access token of the same session', async () => {
  const ada = await registeredUser('ada_next')
  const response = await refreshWith(ada.refreshToken)
  expect(response.status).toBe(200)
  const tokens = await response.json<Tokens>()
  expect(tokens.refreshToken).not.toBe(ada.refreshToken)
  expect(claimsOf(tokens.accessToken).sid).toBe(claimsOf(ada.token).sid)
  expect(await statusWith(tokens.accessToken)).toBe(200)
  expect((await refreshWith(tokens.refreshToken)).status).toBe(200)
})

test('a refresh retried within 30 seconds returns the first tokens, which are not stored in clear text', async () => {
  const abe = await registeredUser('abe_grace')
  const first = await refreshed(abe.refreshToken)
  const repeated = await refreshWith(abe.refreshToken)
  expect(repeated.status).toBe(200)
  const { expiresIn, ...tokens } = await repeated.json<Tokens>()
  expect(tokens).toEqual({ ...first, expiresIn: undefined })
  expect(expiresIn).toBeLessThanOrEqual(first.expiresIn)
  expect(await statusWith(tokens.accessToken)).toBe(200)
  const second = await refreshed(first.refreshToken)
  expect((await refreshWith(second.refreshToken)).status).toBe(200)
  const stored = 'select count(*) n from refresh_tokens where user_id = ? and rotation_replay_response like ?'
  expect(await directoryNumber(stored, Number(abe.id), `%${first.refreshToken.split('.')[1]}%`)).toBe(0)
})

test('a retried refresh without a stored response gets 503 with Retry-After, and the session continues', async () => {
  const amy = await registeredUser('amy_grace')
  const { refreshToken } = await refreshed(amy.refreshToken)
  await env.DIRECTORY.prepare('update refresh_tokens set rotation_replay_response = null where user_id = ?')
    .bind(Number(amy.id))
    .run()
  const repeated = await refreshWith(amy.refreshToken)
  expect([repeated.status, repeated.headers.get('retry-after')]).toEqual([503, '1'])
  expect((await refreshWith(refreshToken)).status).toBe(200)
})

test('the cleanup job deletes the stored response of a refresh after 30 seconds, and not before', async () => {
  const ann = await registeredUser('ann_grace')
  await refreshWith(ann.refreshToken)
  const storedAnswers = () =>
    directoryNumber('select count(rotation_replay_response) n from refresh_tokens where user_id = ?', Number(ann.id))
  await runJob()
  expect(await storedAnswers()).toBe(1)
  clock.advance(GRACE_MS)
  await runJob()
  expect(await storedAnswers()).toBe(0)
})

test('a refresh retried within 30 seconds returns 401 if the session was logged out in between', async () => {
  const ana = await registeredUser('ana_grace')
  const { accessToken } = await refreshed(ana.refreshToken)
  const headers = { authorization: `Bearer ${accessToken}` }
  await anonymousClient().fetch('/v1/auth/logout', { method: 'POST', headers })
  expect((await refreshWith(ana.refreshToken)).status).toBe(401)
})

test('reusing a refresh token after 30 seconds revokes all tokens of its session and of no other session', async () => {
  const bob = await registeredUser('bob_replay')
  const other = await loggedIn(bob)
  const successor = await refreshed(bob.refreshToken)
  clock.advance(GRACE_MS)
  expect((await refreshWith(bob.refreshToken)).status).toBe(401)
  expect((await refreshWith(successor.refreshToken)).status).toBe(401)
  clock.advance(LEASE_MS)
  for (const token of [successor.accessToken, bob.token]) expect(await statusWith(token)).toBe(401)
  expect(await statusWith(other.accessToken)).toBe(200)
  expect((await refreshWith(other.refreshToken)).status).toBe(200)
})

test('reusing a refresh token after two rotations ends its session', async () => {
  const bea = await registeredUser('bea_replay')
  let latest = await refreshed(bea.refreshToken)
  clock.advance(GRACE_MS)
  latest = await refreshed(latest.refreshToken)
  const stored = () => directoryNumber('select count(*) n from refresh_tokens where user_id = ?', Number(bea.id))
  await until(async () => (await stored()) === 2)
  expect((await refreshWith(bea.refreshToken)).status).toBe(401)
  expect((await refreshWith(latest.refreshToken)).status).toBe(401)
})

test('fifty concurrent refreshes with one token return the same new refresh token', async () => {
  const carl = await registeredUser('carl_race')
  const by = anonymousClient()
  const race = () => postJson('/v1/auth/refresh', { refreshToken: carl.refreshToken }, by)
  const responses = await Promise.all(Array.from({ length: 50 }, race))
  expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([200]))
  const pairs = await Promise.all(responses.map((response) => response.json<Tokens>()))
  expect(new Set(pairs.map(({ refreshToken }) => refreshToken)).size).toBe(1)
  const usable = 'select count(*) n from refresh_tokens where user_id = ? and revoked is null'
  expect(await directoryNumber(usable, Number(carl.id))).toBe(1)
  expect(await directoryNumber('select count(*) n from sessions where user_id = ?', Number(carl.id))).toBe(1)
})

test('forged, altered and expired refresh tokens are refused', async () => {
  const dora = await registeredUser('dora_forge')
  const other = await loggedIn(dora)
  const [session, secret, signature] = dora.refreshToken.split('.')
  const [otherSession] = other.refreshToken.split('.')
  for (const token of [
    'x',
    `${session}.${secret}`,
    `${session}.${secret}.`,
    `${session}.x${secret}.${signature}`,
    `${otherSession}.${secret}.${signature}`,
    `${dora.refreshToken}.x`,
    dora.token,
  ]) {
    expect([401, 422], token).toContain((await refreshWith(token)).status)
  }
  await env.DIRECTORY.prepare('update refresh_tokens set expires_at = ? where session_id = ?')
    .bind(Date.now() - 1, otherSession)
    .run()
  expect((await refreshWith(other.refreshToken)).status).toBe(401)
  expect((await refreshWith(dora.refreshToken)).status).toBe(200)
})

test('a session lasts 180 days, and 30 days without use; an expired session cannot refresh and is deleted', async () => {
  const [dan, eli] = await Promise.all([registeredUser('dan_lasts'), registeredUser('eli_lasts')])
  const daysLeft = async (table: string, condition: string) => {
    const query = `select max(expires_at) - ? n from ${table} where user_id = ? and ${condition}`
    return Math.round((await directoryNumber(query, Date.now(), Number(dan.id))) / DAY_MS)
  }
  const begun = (daysAgo: number) =>
    env.DIRECTORY.prepare('update sessions set created_at = ?, expires_at = ? where user_id = ?')
      .bind(Date.now() - daysAgo * DAY_MS, Date.now() + DAY_MS, Number(dan.id))
      .run()
  expect(await daysLeft('sessions', 'true')).toBe(30)
  await begun(20)
  await refresh(dan)
  expect(await daysLeft('sessions', 'true')).toBe(30)
  await begun(170)
  await refresh(dan)
  expect(await daysLeft('sessions', 'true')).toBe(10)
  expect(await daysLeft('refresh_tokens', 'revoked is null')).toBe(30)
  const grace =
    'select max(rotation_replay_expires_at - rotated_at) n from refresh_tokens where user_id = ? and revoked > 0'
  expect(await directoryNumber(grace, Number(dan.id))).toBe(GRACE_MS)

  await env.DIRECTORY.prepare('update sessions set expires_at = ? where user_id = ?')
    .bind(Date.now() - 1, Number(dan.id))
    .run()
  expect((await refreshWith(dan.refreshToken)).status).toBe(401)
  await runJob()
  const sessionsOf = (id: string) => directoryNumber('select count(*) n from sessions where user_id = ?', Number(id))
  expect([await sessionsOf(dan.id), await sessionsOf(eli.id)]).toEqual([0, 1])
})

test('registering, logging in and refreshing read their own writes despite lagging replicas', async () => {
  const stale = withLaggingReplicas(env)
  const post = (path: string, json: unknown) => {
    const headers = { 'content-type': 'application/json' }
    return fetchWith(stale, `/v1/auth/${path}`, { method: 'POST', headers, body: JSON.stringify(json) })
  }
  const json = { handle: 'ebb_lag', email: 'ebb_lag@example.com', password: PASSWORD }
  expect((await post('register', json)).status).toBe(202)
  expect((await post('verify', { token: await mailedToken('ebb_lag'), password: PASSWORD })).status).toBe(200)
  const login = await post('login', { identifier: 'ebb_lag', password: PASSWORD })
  expect(login.status).toBe(200)
  const { refreshToken, account } = await login.json<Tokens>()
  const next = await post('refresh', { refreshToken })
  expect(next.status).toBe(200)
  const { accessToken, refreshToken: last } = await next.json<Tokens>()
  const { keys } = await signingKeys(createContext({ env: stale, waitUntil: () => {} }))
  expect(keys.map(({ kid }) => kid)).toContain(JSON.parse(atob(accessToken.split('.')[0]!)).kid)

  await markSuspended(account.id)
  expect(await (await post('refresh', { refreshToken: last })).json()).toMatchObject({ suspended: true })
})
