import { env } from 'cloudflare:workers'
import { beforeAll, expect, test, vi } from 'vitest'
import type { AppWithSecret } from '../../../src/services/apps/views.ts'
import type { Tokens } from '../../../src/services/identity/views.ts'
import { PASSWORD, type RegisteredUser, registeredUser, setRole } from '../../support/actors.ts'
import { createdApiKey } from '../../support/api-keys.ts'
import { claimsOf, directoryNumber, loggedIn, logIn, refreshWith, socketWith, statusWith } from '../../support/auth.ts'
import { anonymousClient } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { anotherIsolate } from '../../support/isolates.ts'
import { insertLogin } from '../../support/logins.ts'
import { codeFor, connect, exchange, refreshAs, registeredApp } from '../../support/oauth.ts'
import { drained } from '../../support/outboxes.ts'
import {
  changeAddress,
  confirmAddress,
  mailedAddressToken,
  mailedResetToken,
  mailedUndoToken,
  NEW_PASSWORD,
  resetWith,
  undoAddress,
} from '../../support/recovery.ts'

type Login = { accessToken: string; refreshToken: string }
/** Ends `login`, which is one of two logins of `user`. `user` holds the tokens of the other one. */
type Case = { user: RegisteredUser; login: Login; admin: RegisteredUser }
type End = (given: Case) => Promise<Response>

const REUSE_MS = 30_000
const clock = movableClock()
let admin: RegisteredUser
let app: AppWithSecret
let other: Awaited<ReturnType<typeof anotherIsolate>>

beforeAll(async () => {
  admin = await registeredUser()
  await setRole(admin, 'admin')
  app = await registeredApp(admin)
  other = await anotherIsolate('/graphql?query=%7B__typename%7D')
})

const as = (token: string, method: string, path: string, json?: object): Promise<Response> =>
  anonymousClient().fetch(`/v1${path}`, { method, json, headers: { authorization: `Bearer ${token}` } })

/** Whatever ends a login. The tests below apply to each line. */
const ends: Record<string, End> = {
  'logging out': ({ login }) => as(login.accessToken, 'POST', '/auth/logout'),
  'logging out everywhere': ({ user }) => as(user.token, 'POST', '/auth/logout-all'),
  'ending it from another login': ({ user, login }) =>
    as(user.token, 'DELETE', `/me/sessions/${claimsOf(login.accessToken).sid}`),
  'ending all other logins': ({ user }) => as(user.token, 'DELETE', '/me/sessions'),
  'a 51st login': replaceLogin,
  'reusing a refresh token': reuseToken,
  'a change of the password': ({ user }) =>
    as(user.token, 'PUT', '/auth/password', { currentPassword: PASSWORD, password: NEW_PASSWORD }),
  'a reset of the password': async ({ user }) => resetWith(await mailedResetToken(user.id)),
  'undo of an address': undoMove,
  'a suspension': ({ user }) => as(admin.token, 'PUT', `/accounts/${user.id}/suspension`),
  'deleting the account': ({ user }) => as(user.token, 'DELETE', '/me'),
}

/** Those that end every login, or all others, end the API keys too. */
const endsKeys = [
  'logging out everywhere',
  'ending all other logins',
  'a reset of the password',
  'undo of an address',
  'a suspension',
  'deleting the account',
]

async function undoMove({ user }: Case): Promise<Response> {
  const email = `moved_${user.handle}@example.com`
  expect((await changeAddress(user, email)).ok).toBe(true)
  expect((await confirmAddress(await mailedAddressToken(user.id, email))).ok).toBe(true)
  return undoAddress(await mailedUndoToken(user.id, `${user.handle}@example.com`))
}

async function replaceLogin({ user, login }: Case): Promise<Response> {
  await env.DIRECTORY.prepare('update sessions set updated_at = 1 where id = ?')
    .bind(claimsOf(login.accessToken).sid)
    .run()
  for (let i = 0; i < 48; i++) await insertLogin(user.id)
  return logIn(user.handle)
}

async function reuseToken({ login }: Case): Promise<Response> {
  const used = login.refreshToken
  login.refreshToken = (await (await refreshWith(used)).json<Tokens>()).refreshToken
  clock.advance(REUSE_MS)
  expect((await refreshWith(used)).status).toBe(401)
  return new Response()
}

async function prepare() {
  const user = await registeredUser()
  const login = await loggedIn(user)
  const { closed } = await socketWith(login.accessToken)
  return { user, login, admin, closed }
}

async function prepareKey(user: RegisteredUser) {
  const { key } = await createdApiKey(user)
  const { closed } = await socketWith(key)
  return { key, closed }
}

const refused = expect.toSatisfy((status: number) => status === 401 || status === 403)
const inOtherIsolate = async (path: string, token: string, init: RequestInit = {}, bindings = {}) => {
  const headers = { authorization: `Bearer ${token}`, 'cf-connecting-ip': '192.0.2.9' }
  return (await other.fetch(path, { headers, ...init }, bindings)).status
}
const fail = () => Promise.reject(new Error('down'))
const noFeed = { REVOCATIONS: { getByName: () => ({ changesSince: fail }) } }
const noGuard = { GUARD: { getByName: () => ({ lease: fail, useKey: fail, refund: fail }) } }
const outages = [{}, noFeed, noGuard, { ...noFeed, ...noGuard }]
/** In a warm isolate two seconds later, and then during each outage. */
async function laterStatuses(token: string): Promise<number[]> {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const statuses: number[] = []
  for (const outage of outages) {
    clock.advance(LEASE_MS)
    statuses.push(await inOtherIsolate('/v1/accounts/me', token, {}, outage))
  }
  vi.restoreAllMocks()
  return statuses
}
/** The code of the failure of a query, or null. */
async function graphCode(token: string): Promise<string | null> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ query: '{ me { id } }' })
  const { errors } = await (await other.fetch('/graphql', { method: 'POST', headers, body })).json<GraphAnswer>()
  return errors?.[0]?.extensions.code ?? null
}
type GraphAnswer = { errors?: { extensions: { code: string } }[] }
const refreshInOtherIsolate = (refreshToken: string) => {
  const headers = { 'content-type': 'application/json', 'cf-connecting-ip': '192.0.2.9' }
  return inOtherIsolate('/v1/auth/refresh', '', { method: 'POST', headers, body: JSON.stringify({ refreshToken }) })
}

test.each(Object.entries(ends))(
  '%s ends access token, refresh token and sockets of a login, in a warm isolate too',
  async (_, end) => {
    const { closed, ...given } = await prepare()
    const { login } = given
    expect(await statusWith(login.accessToken)).toBe(200)
    expect(await inOtherIsolate('/v1/accounts/me', login.accessToken)).toBe(200)
    expect(await graphCode(login.accessToken)).toBeNull()
    expect((await end(given)).ok).toBe(true)
    expect(await statusWith(login.accessToken)).toEqual(refused)
    expect(await laterStatuses(login.accessToken)).toEqual(Array(4).fill(refused))
    expect(['unauthorized', 'suspended']).toContain(await graphCode(login.accessToken))
    expect((await refreshWith(login.refreshToken)).status).toEqual(refused)
    expect(await refreshInOtherIsolate(login.refreshToken)).toEqual(refused)
    expect((await closed).code).toBe(4001)
  },
)

test.each(Object.entries(ends))(
  '%s ends or keeps API keys as the list says, in a warm isolate too',
  async (name, end) => {
    const { closed: _, ...given } = await prepare()
    const { key, closed } = await prepareKey(given.user)
    expect([await statusWith(key), await inOtherIsolate('/v1/accounts/me', key)]).toEqual([200, 200])
    expect((await end(given)).ok).toBe(true)
    const expected = endsKeys.includes(name) ? refused : 200
    expect(await statusWith(key)).toEqual(expected)
    expect(await laterStatuses(key)).toEqual(Array(4).fill(expected))
    if (name === 'a suspension') await as(admin.token, 'DELETE', `/accounts/${given.user.id}/suspension`)
    if (name === 'a suspension') await drained(given.user.id)
    clock.advance(LEASE_MS)
    expect(await statusWith(key)).toEqual(expected)
    if (endsKeys.includes(name)) expect((await closed).code).toBe(4001)
  },
)
/** What ends one login only, and so leaves the apps that the person allowed. */
const ofOneLogin = ['logging out', 'ending it from another login', 'a 51st login', 'reusing a refresh token']

test.each(Object.entries(ends))('%s ends what apps may do exactly if it ends all other logins', async (name, end) => {
  const { closed: _, ...given } = await prepare()
  const tokens = await connect(given.user, app, 'accounts:read realtime posts:read offline_access')
  const open = await codeFor(given.user, app)
  const { closed } = await socketWith(tokens.access_token)
  expect(await inOtherIsolate('/v1/accounts/me', tokens.access_token)).toBe(200)
  expect((await end(given)).ok).toBe(true)
  await drained(given.user.id)
  const grants = await directoryNumber(
    'select count(*) as n from app_grants where account_id = ?',
    Number(given.user.id),
  )
  const isLeft = ofOneLogin.includes(name)
  if (name !== 'reusing a refresh token') expect((await exchange(app, open)).status).toBe(isLeft ? 200 : 400)
  expect(grants).toBe(isLeft ? 1 : 0)
  const statuses = await laterStatuses(tokens.access_token)
  if (isLeft) {
    expect(statuses).toEqual(Array(4).fill(200))
    expect((await refreshAs(app, tokens.refresh_token)).status).toBe(200)
    return
  }
  expect(statuses).toEqual(Array(4).fill(refused))
  expect((await refreshAs(app, tokens.refresh_token)).status).toBe(400)
  expect((await closed).code).toBe(4001)
})

test('a change of role ends access tokens and sockets, and the refresh token gets a token with the new role', async () => {
  const { user, login, closed } = await prepare()
  const { key } = await createdApiKey(user)
  expect(await inOtherIsolate('/v1/accounts/me', login.accessToken)).toBe(200)
  expect((await as(admin.token, 'PUT', `/accounts/${user.id}/role`, { role: 'moderator' })).ok).toBe(true)
  expect(await statusWith(login.accessToken)).toBe(401)
  clock.advance(LEASE_MS)
  expect(await inOtherIsolate('/v1/accounts/me', login.accessToken)).toBe(401)
  const renewed = await (await refreshWith(login.refreshToken)).json<Tokens>()
  expect(claimsOf(renewed.accessToken).role).toBe('moderator')
  expect((await closed).code).toBe(4001)
  expect([await statusWith(key), (await as(key, 'GET', '/registrations')).status]).toEqual([200, 403])
})
