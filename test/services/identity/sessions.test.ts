import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import type { Env } from '../../../src/platform/config.ts'
import { createContext } from '../../../src/platform/context.ts'
import { shardOf } from '../../../src/platform/data/ids.ts'
import { deleteLapsed } from '../../../src/services/identity/jobs.ts'
import { startSession } from '../../../src/services/identity/login.ts'
import { signingKeys } from '../../../src/services/identity/signing-keys.ts'
import type { Tokens } from '../../../src/services/identity/views.ts'
import worker from '../../../src/worker.ts'
import { lagging, withLaggingReplicas } from '../../support/lagging.ts'
import {
  mailedToken,
  PASSWORD,
  type Person,
  refresh,
  register,
  setRole,
  settled,
  stranger,
} from '../../support/people.ts'
import { emit } from '../../support/town.ts'

const TWO_SECONDS = { timeout: 2_300, interval: 50 }

const post = (path: string, json: unknown) => stranger().fetch(path, { method: 'POST', json })
const next = (refreshToken: string) => post('/v1/auth/refresh', { refreshToken })
const logIn = async (who: Person): Promise<Tokens> =>
  (await post('/v1/auth/login', { identifier: who.handle, password: PASSWORD })).json()
const as = (token: string, path = '/v1/accounts/me') =>
  stranger().fetch(path, { headers: { authorization: `Bearer ${token}` } })
const refused = (token: string) => vi.waitUntil(async () => (await as(token)).status === 401, TWO_SECONDS)
const claimsOf = (token: string) => JSON.parse(atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/')))
const count = async (query: string, ...values: unknown[]) =>
  (await env.DIRECTORY.prepare(query)
    .bind(...values)
    .first<{ n: number }>())!.n

/** A socket of the login; `closed` comes when it is closed. */
async function socketOf(token: string): Promise<{ closed: Promise<CloseEvent> }> {
  const headers = { upgrade: 'websocket', authorization: `Bearer ${token}` }
  const { webSocket } = await stranger().fetch('/v1/realtime', { headers })
  webSocket!.accept()
  return { closed: new Promise((resolve) => webSocket!.addEventListener('close', resolve)) }
}

test('a refresh gives the next tokens of the same login', async () => {
  const ada = await register('ada_next')
  const response = await next(ada.refreshToken)
  expect(response.status).toBe(200)
  const tokens = await response.json<Tokens>()
  expect(tokens.refreshToken).not.toBe(ada.refreshToken)
  expect(claimsOf(tokens.accessToken).sid).toBe(claimsOf(ada.token).sid)
  expect((await as(tokens.accessToken)).status).toBe(200)
  expect((await next(tokens.refreshToken)).status).toBe(200)
})

/** Lets the half minute pass in which a rotated token of the account gives its answer again. */
const endGrace = (who: Person) =>
  env.DIRECTORY.prepare('update refresh_tokens set rotation_replay_expires_at = ? where user_id = ? and revoked > 0')
    .bind(Date.now() - 1, Number(who.id))
    .run()

test('who missed the answer to a refresh gets the same again for half a minute, and the login goes on', async () => {
  const abe = await register('abe_grace')
  const first = await (await next(abe.refreshToken)).json<Tokens>()
  const again = await next(abe.refreshToken)
  expect(again.status).toBe(200)
  const { expiresIn, ...same } = await again.json<Tokens>()
  expect(same).toEqual({ ...first, expiresIn: undefined })
  expect(expiresIn).toBeLessThanOrEqual(first.expiresIn)
  expect((await as(same.accessToken)).status).toBe(200)
  const second = await (await next(first.refreshToken)).json<Tokens>()
  expect((await next(second.refreshToken)).status).toBe(200)
  const kept = 'select count(*) n from refresh_tokens where user_id = ? and rotation_replay_response like ?'
  expect(await count(kept, Number(abe.id), `%${first.refreshToken.split('.')[1]}%`)).toBe(0)
})

test('a refresh whose answer was never kept says to try again, and ends nothing', async () => {
  const amy = await register('amy_grace')
  const { refreshToken } = await (await next(amy.refreshToken)).json<Tokens>()
  await env.DIRECTORY.prepare('update refresh_tokens set rotation_replay_response = null where user_id = ?')
    .bind(Number(amy.id))
    .run()
  const again = await next(amy.refreshToken)
  expect([again.status, again.headers.get('retry-after')]).toEqual([503, '1'])
  expect((await next(refreshToken)).status).toBe(200)
})

test('the answer of a refresh is not kept when it is good no longer', async () => {
  const ann = await register('ann_grace')
  await next(ann.refreshToken)
  const answers = () =>
    count('select count(rotation_replay_response) n from refresh_tokens where user_id = ?', Number(ann.id))
  await deleteLapsed(createContext({ env, waitUntil: () => {} }))
  expect(await answers()).toBe(1)
  await endGrace(ann)
  await deleteLapsed(createContext({ env, waitUntil: () => {} }))
  expect(await answers()).toBe(0)
})

test('the grace of a refresh ends with its login', async () => {
  const ana = await register('ana_grace')
  const tokens = await (await next(ana.refreshToken)).json<Tokens>()
  await stranger().fetch('/v1/auth/logout', {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens.accessToken}` },
  })
  expect((await next(ana.refreshToken)).status).toBe(401)
})

test('a refresh token that comes back late ends its login, the first successor and the access tokens included, and no other', async () => {
  const bob = await register('bob_replay')
  const other = await logIn(bob)
  const successor = await (await next(bob.refreshToken)).json<Tokens>()
  await endGrace(bob)
  expect((await next(bob.refreshToken)).status).toBe(401)
  expect((await next(successor.refreshToken)).status).toBe(401)
  await refused(successor.accessToken)
  await refused(bob.token)
  expect((await as(other.accessToken)).status).toBe(200)
  expect((await next(other.refreshToken)).status).toBe(200)
})

test('a refresh token of long ago still ends its login', async () => {
  const bea = await register('bea_replay')
  let latest = await (await next(bea.refreshToken)).json<Tokens>()
  await endGrace(bea)
  latest = await (await next(latest.refreshToken)).json<Tokens>()
  const kept = () => count('select count(*) n from refresh_tokens where user_id = ?', Number(bea.id))
  await vi.waitUntil(async () => (await kept()) === 2, { timeout: 5_000 })
  expect((await next(bea.refreshToken)).status).toBe(401)
  expect((await next(latest.refreshToken)).status).toBe(401)
})

test('fifty refreshes at once with one token give all of them the same successor', async () => {
  const carl = await register('carl_race')
  const by = stranger()
  const race = () => by.fetch('/v1/auth/refresh', { method: 'POST', json: { refreshToken: carl.refreshToken } })
  const answers = await Promise.all(Array.from({ length: 50 }, race))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  const given = await Promise.all(answers.map((answer) => answer.json<Tokens>()))
  expect(new Set(given.map((tokens) => tokens.refreshToken)).size).toBe(1)
  const usable = 'select count(*) n from refresh_tokens where user_id = ? and revoked is null'
  expect(await count(usable, Number(carl.id))).toBe(1)
  expect(await count('select count(*) n from sessions where user_id = ?', Number(carl.id))).toBe(1)
})

test('a refresh token is refused that is made up, altered, of another session, or has rested too long', async () => {
  const dora = await register('dora_forge')
  const other = await logIn(dora)
  const [session, secret, signature] = dora.refreshToken.split('.')
  const [otherSession] = other.refreshToken.split('.')
  const made = [
    'x',
    `${session}.${secret}`,
    `${session}.${secret}.`,
    `${session}.x${secret}.${signature}`,
    `${otherSession}.${secret}.${signature}`,
    `${dora.refreshToken}.x`,
    dora.token,
  ]
  for (const token of made)
    expect((await next(token)).status, token).toSatisfy((status) => status === 401 || status === 422)
  await env.DIRECTORY.prepare('update refresh_tokens set expires_at = ? where session_id = ?')
    .bind(Date.now() - 1, otherSession)
    .run()
  expect((await next(other.refreshToken)).status).toBe(401)
  expect((await next(dora.refreshToken)).status).toBe(200)
})

test('a login lasts half a year, however much it is used, and a refresh token rests for a month', async () => {
  const [dan, eli] = await Promise.all([register('dan_lasts'), register('eli_lasts')])
  const daysLeft = (table: string, where: string) =>
    count(`select max(expires_at) - ? n from ${table} where user_id = ? and ${where}`, Date.now(), Number(dan.id)).then(
      (ms) => Math.round(ms / 86_400_000),
    )
  await refresh(dan)
  expect(await daysLeft('sessions', 'true')).toBe(180)
  expect(await daysLeft('refresh_tokens', 'revoked is null')).toBe(30)
  const replay =
    'select rotation_replay_expires_at - rotated_at n from refresh_tokens where user_id = ? and revoked > 0'
  expect(await count(replay, Number(dan.id))).toBe(30_000)

  await env.DIRECTORY.prepare('update sessions set expires_at = ? where user_id = ?')
    .bind(Date.now() - 1, Number(dan.id))
    .run()
  expect((await next(dan.refreshToken)).status).toBe(401)
  await deleteLapsed(createContext({ env, waitUntil: () => {} }))
  const left = (who: Person) => count('select count(*) n from sessions where user_id = ?', Number(who.id))
  expect([await left(dan), await left(eli)]).toEqual([0, 1])
})

test('what was said of a login a moment ago holds, though replicas have not heard of it', async () => {
  const behind = withLaggingReplicas(env)
  const ask = (path: string, json: unknown) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(json) }
    return worker.fetch(new Request(`http://127.0.0.1:8787/v1/auth/${path}`, init), behind, createExecutionContext())
  }
  const json = { handle: 'ebb_lag', email: 'ebb_lag@example.com', password: PASSWORD }
  expect((await ask('register', json)).status).toBe(202)
  expect((await ask('verify', { token: await mailedToken('ebb_lag'), password: PASSWORD })).status).toBe(200)
  const login = await ask('login', { identifier: 'ebb_lag', password: PASSWORD })
  expect(login.status).toBe(200)
  const { refreshToken, account } = await login.json<Tokens>()
  const next = await ask('refresh', { refreshToken })
  expect(next.status).toBe(200)
  const { accessToken, refreshToken: last } = await next.json<Tokens>()
  const { keys } = await signingKeys(createContext({ env: behind, waitUntil: () => {} }))
  expect(keys.map(({ kid }) => kid)).toContain(JSON.parse(atob(accessToken.split('.')[0]!)).kid)

  const shard = [env.SHARD_0, env.SHARD_1][shardOf(account.id)]!
  await shard.prepare('update accounts set suspended_at = 1 where id = ?').bind(Number(account.id)).run()
  expect(await (await ask('refresh', { refreshToken: last })).json()).toMatchObject({ code: 'suspended' })
})

test('logging out ends this login: refresh at once, access token and socket within two seconds, and no other', async () => {
  const eve = await register('eve_out')
  const other = await logIn(eve)
  const { closed } = await socketOf(eve.token)
  const stays = vi.fn()
  void (await socketOf(other.accessToken)).closed.then(stays)
  expect((await eve.fetch('/v1/auth/logout', { method: 'POST' })).status).toBe(204)
  expect((await next(eve.refreshToken)).status).toBe(401)
  await refused(eve.token)
  expect(await closed).toMatchObject({ reason: 'logged out' })
  expect((await as(other.accessToken)).status).toBe(200)
  expect(stays).not.toHaveBeenCalled()
})

test('a login ends even when the limiter did not hear of it at first', async () => {
  const finn = await register('finn_out')
  const { sid } = claimsOf(finn.token)
  await emit('identity.session-ended', { accountId: finn.id, sessionId: sid })
  await vi.waitUntil(async () => (await as(finn.token)).status === 401, { timeout: 5_000, interval: 50 })
})

const ends = {
  'logging out': (who: Person) => ['/v1/auth/logout', who, 'POST'],
  'logging out everywhere': (who: Person) => ['/v1/auth/logout-all', who, 'POST'],
  'another role': (who: Person, admin: Person) => [`/v1/accounts/${who.id}/role`, admin, 'PUT'],
} satisfies Record<string, (who: Person, admin: Person) => [path: string, by: Person, method: string]>

test.each(Object.entries(ends))('%s ends logins by the request itself, and else by its event', async (_, end) => {
  const [admin, one, two] = await Promise.all([register(), register(), register()])
  await setRole(admin, 'admin')
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const tell = async (who: Person, bindings: object) => {
    const [path, by, method] = end(who, admin)
    const headers = { authorization: `Bearer ${by.token}`, 'content-type': 'application/json' }
    const body = method === 'PUT' ? '{"role":"moderator"}' : null
    const request = new Request(`http://127.0.0.1:8787${path}`, { method, headers, body })
    return (await worker.fetch(request, { ...env, ...bindings } as unknown as Env, createExecutionContext())).ok
  }
  const down = () => Promise.reject(new Error('down'))

  expect(await tell(one, { EVENTS: { sendBatch: down } })).toBe(true)
  await refused(one.token)

  const limiterOf = (name: string) => ({
    lease: (...asked: Parameters<ReturnType<typeof env.LIMITER.getByName>['lease']>) =>
      env.LIMITER.getByName(name).lease(...asked),
    endSession: down,
    voidTokensBefore: down,
  })
  expect(await tell(two, { LIMITER: { getByName: limiterOf } })).toBe(false)
  await vi.waitUntil(async () => (await as(two.token)).status === 401, { timeout: 10_000, interval: 50 })
  vi.restoreAllMocks()
})

test('with a limiter that does not answer, who logged out or was suspended stays out, and others stay in', async () => {
  const [gone, stays, held] = [await register('gone_dir'), await register('stays_dir'), await register('held_dir')]
  await gone.fetch('/v1/auth/logout', { method: 'POST' })
  const shard = [env.SHARD_0, env.SHARD_1][shardOf(held.id)]!
  await shard.prepare('update accounts set suspended_at = 1 where id = ?').bind(Number(held.id)).run()
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const lease = () => Promise.reject(new Error('down'))
  const without = {
    ...env,
    DIRECTORY: lagging(env.DIRECTORY, env.INDEX),
    LIMITER: { getByName: () => ({ lease }) },
  } as unknown as Env
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2_500 })
  const statusOf = async ({ token }: Person) => {
    const request = new Request('https://social.test/v1/accounts/me', { headers: { authorization: `Bearer ${token}` } })
    return (await worker.fetch(request, without, createExecutionContext())).status
  }
  expect([await statusOf(gone), await statusOf(stays), await statusOf(held)]).toEqual([401, 200, 403])
  vi.useRealTimers()
  vi.restoreAllMocks()
})

test('logging out everywhere ends every login, and a login right after holds', async () => {
  const gus = await register('gus_out')
  const other = await logIn(gus)
  const { closed } = await socketOf(other.accessToken)
  expect((await gus.fetch('/v1/auth/logout-all', { method: 'POST' })).status).toBe(204)
  const again = await logIn(gus)
  for (const token of [gus.refreshToken, other.refreshToken]) expect((await next(token)).status).toBe(401)
  for (const token of [gus.token, other.accessToken]) await refused(token)
  expect(await closed).toMatchObject({ reason: 'logged out' })
  await settled()
  expect((await as(again.accessToken)).status).toBe(200)
})

test('a role holds within two seconds: the tokens that say otherwise are void, and the next ones carry it', async () => {
  const [admin, hal] = await Promise.all([register('admin_role'), register('hal_role')])
  await setRole(admin, 'admin')
  const change = (role: string, by = admin, id = hal.id) =>
    by.fetch(`/v1/accounts/${id}/role`, { method: 'PUT', json: { role } })
  const answer = await change('moderator')
  expect(answer.status).toBe(200)
  expect(await answer.json()).toEqual({ accountId: hal.id, role: 'moderator' })
  await refused(hal.token)
  await refresh(hal)
  expect(claimsOf(hal.token).role).toBe('moderator')
  expect((await as(hal.token)).status).toBe(200)
  expect((await change('admin', hal)).status).toBe(403)
})

test('tokens that were being made while the role changed are not given out', async () => {
  const ira = await register('ira_race')
  await env.DIRECTORY.prepare('update users set tokens_void_before = 1 where id = ?').bind(Number(ira.id)).run()
  const asRead = { id: ira.id, handle: ira.handle, role: 'admin' as const, tokensVoidBefore: 0 }
  const ctx = { ...createContext({ env, waitUntil: () => {} }), viewer: null }
  await expect(startSession(ctx, asRead)).rejects.toMatchObject({ code: 'invalid_credentials' })
  await expect(startSession(ctx, { ...asRead, tokensVoidBefore: 1 })).resolves.toMatchObject({ account: { id: ira.id } })
})

test('only admins give roles, not to themselves, and to nobody who is not there', async () => {
  const [admin, ida] = await Promise.all([register('admin_rule'), register('ida_role')])
  await setRole(admin, 'admin')
  const change = (by: Person, id: string, role = 'admin') =>
    by.fetch(`/v1/accounts/${id}/role`, { method: 'PUT', json: { role } })
  expect((await change(ida, ida.id)).status).toBe(403)
  expect((await change(ida, admin.id, 'user')).status).toBe(403)
  expect((await change(admin, admin.id, 'user')).status).toBe(422)
  expect((await change(admin, '1')).status).toBe(404)
  await post('/v1/auth/register', { handle: 'unverified', email: 'unverified@example.com', password: PASSWORD })
  const waiting = await count("select account_id n from handles where handle = 'unverified'")
  expect((await change(admin, String(waiting))).status).toBe(404)
  expect((await change(admin, ida.id, 'emperor')).status).toBe(422)
  expect(
    (await stranger().fetch(`/v1/accounts/${ida.id}/role`, { method: 'PUT', json: { role: 'admin' } })).status,
  ).toBe(401)
})

test('two admins who take the role from each other at once leave one admin', async () => {
  await env.DIRECTORY.prepare("update users set role = 'user'").run()
  const [jo, kay] = await Promise.all([register('jo_admin'), register('kay_admin')])
  await setRole(jo, 'admin')
  await setRole(kay, 'admin')
  const demote = (by: Person, id: string) =>
    by.fetch(`/v1/accounts/${id}/role`, { method: 'PUT', json: { role: 'user' } })
  const statuses = (await Promise.all([demote(jo, kay.id), demote(kay, jo.id)])).map(({ status }) => status)
  expect(statuses.sort()).toEqual([200, 403])
  expect(await count("select count(*) n from users where role = 'admin'")).toBe(1)
})

test('a suspension ends every login and refuses the next, until it is lifted', async () => {
  const [admin, lea] = await Promise.all([register('mod_susp'), register('lea_susp')])
  await setRole(admin, 'moderator')
  const { closed } = await socketOf(lea.token)
  const suspended = (method: string) => admin.fetch(`/v1/accounts/${lea.id}/suspension`, { method })
  expect((await suspended('PUT')).status).toBeLessThan(300)
  await vi.waitUntil(async () => (await as(lea.token)).status === 403, { timeout: 6_000, interval: 50 })
  expect(await (await as(lea.token)).json()).toMatchObject({ code: 'suspended' })
  expect(await closed).toMatchObject({ reason: 'suspended' })
  await settled()
  expect((await next(lea.refreshToken)).status).toBe(401)
  const login = await post('/v1/auth/login', { identifier: 'lea_susp', password: PASSWORD })
  expect(await login.json()).toMatchObject({ code: 'suspended' })
  const guess = await post('/v1/auth/login', { identifier: 'lea_susp', password: 'a guess at the password' })
  expect(await guess.json()).toMatchObject({ code: 'invalid_credentials' })

  expect((await suspended('DELETE')).status).toBeLessThan(300)
  await settled()
  await vi.waitUntil(async () => (await as(lea.token)).status === 401, TWO_SECONDS)
  expect((await next(lea.refreshToken)).status).toBe(401)
  const again = await logIn(lea)
  await vi.waitUntil(async () => (await as(again.accessToken)).status === 200, TWO_SECONDS)
})

test('events of a suspension and its lifting that arrive late and in the wrong order leave what is true', async () => {
  const max = await register('max_susp')
  const shard = [env.SHARD_0, env.SHARD_1][shardOf(max.id)]!
  await shard.prepare('update accounts set suspended_at = 1 where id = ?').bind(Number(max.id)).run()
  const types = ['account.suspension-lifted', 'account.suspended', 'account.suspension-lifted']
  await Promise.all(types.map((type) => emit(type, { accountId: max.id })))
  const logins = () => count('select count(*) n from sessions where user_id = ?', Number(max.id))
  await vi.waitUntil(async () => (await logins()) === 0, { timeout: 5_000 })
  await vi.waitUntil(async () => (await as(max.token)).status === 403, { timeout: 5_000, interval: 50 })
})

test('what a suspension made void stays so, though it was lifted before the limiter heard of it', async () => {
  const ned = await register('ned_susp')
  await env.DIRECTORY.prepare('update users set tokens_void_before = ? where id = ?')
    .bind(Date.now(), Number(ned.id))
    .run()
  await emit('account.suspended', { accountId: ned.id })
  await vi.waitUntil(async () => (await as(ned.token)).status === 401, { timeout: 5_000, interval: 50 })
})

test('whoever was suspended a moment ago gets no tokens, though the event has not come yet', async () => {
  const mia = await register('mia_susp')
  const shard = [env.SHARD_0, env.SHARD_1][shardOf(mia.id)]!
  await shard.prepare('update accounts set suspended_at = 1 where id = ?').bind(Number(mia.id)).run()
  const login = await post('/v1/auth/login', { identifier: 'mia_susp', password: PASSWORD })
  expect(await login.json()).toMatchObject({ code: 'suspended' })
  expect(await (await next(mia.refreshToken)).json()).toMatchObject({ code: 'suspended' })
})

test('the key set is public, and has the keys that sign and nothing private', async () => {
  const nell = await register('nell_keys')
  const response = await stranger().fetch('/v1/auth/jwks')
  expect(response.status).toBe(200)
  const { keys } = await response.json<{ keys: Record<string, string>[] }>()
  const { kid } = JSON.parse(atob(nell.token.split('.')[0]!))
  expect(keys.map((key) => key.kid)).toContain(kid)
  for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
  expect(response.headers.get('cache-control')).toBe('public, max-age=300')
})

test('that the key set cannot be read is nothing to be cached', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const silent = () => {
    throw new Error('D1_ERROR: D1 DB is overloaded')
  }
  const broken = { ...env, DIRECTORY: { withSession: silent } } as unknown as Env
  const request = new Request('http://127.0.0.1:8787/v1/auth/jwks')
  const response = await worker.fetch(request, broken, createExecutionContext())
  vi.restoreAllMocks()
  expect(response.status).toBe(503)
  expect(response.headers.get('cache-control')).toBe('private, no-store')
})
