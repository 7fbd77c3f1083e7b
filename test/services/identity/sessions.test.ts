import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import type { Tokens } from '../../../src/services/identity/views.ts'
import { PASSWORD, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { claimsOf, directoryNumber, loggedIn, logIn, refreshWith, socketWith, statusWith } from '../../support/auth.ts'
import { anonymousClient, fetchWith } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { interceptMails } from '../../support/mails.ts'
import { drained } from '../../support/outboxes.ts'
import { until } from '../../support/until.ts'

const clock = movableClock()
const { warningsTo } = interceptMails()

type Session = {
  id: string
  device: string
  place: string | null
  lastUsedAt: string
  createdAt: string
  isCurrent: boolean
}

const sessionsOf = async (token: string): Promise<Session[]> => {
  const headers = { authorization: `Bearer ${token}` }
  return (await (await anonymousClient().fetch('/v1/me/sessions', { headers })).json<{ items: Session[] }>()).items
}
const end = (user: RegisteredUser, id = '') => user.fetch(`/v1/me/sessions${id && `/${id}`}`, { method: 'DELETE' })
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

async function loggedInWith(handle: string, headers: Record<string, string>, cf = {}): Promise<Tokens> {
  const body = JSON.stringify({ identifier: handle, password: PASSWORD })
  const init = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body, cf }
  return (await fetchWith(env, '/v1/auth/login', init as RequestInit)).json()
}

test('the list shows device, place, first and last use of each login, and which one is current', async () => {
  const ada = await registeredUser('ada_list')
  clock.advance(60_000)
  const place = { city: 'Turin', country: 'IT' }
  const tokens = await loggedInWith('ada_list', { 'user-agent': firefox, 'cf-connecting-ip': '192.0.2.77' }, place)
  const [other, own, ...more] = await sessionsOf(ada.token)
  expect(more).toEqual([])
  expect(other).toMatchObject({ id: claimsOf(tokens.accessToken).sid, device: 'Firefox on Linux', isCurrent: false })
  expect(other).toMatchObject({ place: 'Turin, IT' })
  expect(own).toMatchObject({ id: claimsOf(ada.token).sid, device: 'Unknown device', place: null, isCurrent: true })
  const row = await env.DIRECTORY.prepare('select * from sessions where id = ?').bind(other!.id).first()
  expect(JSON.stringify(row)).not.toMatch(/Firefox|Turin|192\.0\.2/)
})

test('a refresh counts as the last use of its login, and leaves the first use', async () => {
  const bea = await registeredUser('bea_list')
  const [before] = await sessionsOf(bea.token)
  clock.advance(3_600_000)
  const { accessToken } = await (await refreshWith(bea.refreshToken)).json<Tokens>()
  const [after] = await sessionsOf(accessToken)
  expect(after!.createdAt).toBe(before!.createdAt)
  expect(Date.parse(after!.lastUsedAt) - Date.parse(before!.lastUsedAt)).toBeGreaterThanOrEqual(3_600_000)
})

test('the list of an account does not contain the logins of others, nor expired ones', async () => {
  const [cal, dee] = [await registeredUser('cal_list'), await registeredUser('dee_list')]
  const expired = claimsOf((await loggedIn(cal)).accessToken).sid
  await env.DIRECTORY.prepare('update sessions set expires_at = ? where id = ?')
    .bind(Date.now() - 1, expired)
    .run()
  for (const user of [cal, dee]) {
    expect((await sessionsOf(user.token)).map(({ id }) => id)).toEqual([claimsOf(user.token).sid])
  }
})

test('an account ends one of its logins, with its tokens and sockets, and no login of another account', async () => {
  const [eva, fay] = [await registeredUser('eva_end'), await registeredUser('fay_end')]
  const other = await loggedIn(eva)
  const { closed } = await socketWith(other.accessToken)
  const { sid } = claimsOf(other.accessToken)
  expect((await end(fay, sid)).status).toBe(404)
  expect(await statusWith(other.accessToken)).toBe(200)
  expect((await end(eva, sid)).status).toBe(204)
  expect(await statusWith(other.accessToken)).toBe(401)
  expect((await refreshWith(other.refreshToken)).status).toBe(401)
  expect(await closed).toMatchObject({ reason: 'logged out' })
  expect((await end(eva, sid)).status).toBe(404)
  expect(await statusWith(eva.token)).toBe(200)
})

test('an account ends all of its other logins, and the tokens of all devices but the current one', async () => {
  const gil = await registeredUser('gil_end')
  const others = [await loggedIn(gil), await loggedIn(gil)]
  const sockets = await Promise.all(others.map(({ accessToken }) => socketWith(accessToken)))
  const closed = vi.fn()
  void (await socketWith(gil.token)).closed.then(closed)
  expect((await end(gil)).status).toBe(204)
  for (const { accessToken, refreshToken } of others) {
    expect(await statusWith(accessToken)).toBe(401)
    expect((await refreshWith(refreshToken)).status).toBe(401)
  }
  for (const socket of sockets) expect(await socket.closed).toMatchObject({ reason: 'logged out' })
  expect((await sessionsOf(gil.token)).map(({ id }) => id)).toEqual([claimsOf(gil.token).sid])
  await drained(gil.id)
  clock.advance(LEASE_MS)
  const refreshed = await (await refreshWith(gil.refreshToken)).json<Tokens>()
  expect(await statusWith(refreshed.accessToken)).toBe(200)
  expect(closed).not.toHaveBeenCalled()
})

test('with 60 concurrent logins, the 50 latest used stay and the others end', async () => {
  const hal = await registeredUser('hal_many')
  clock.advance(1_000)
  const race = (await Promise.all(Array.from({ length: 60 }, () => logIn('hal_many')))).map((response) => response)
  expect(new Set(race.map(({ status }) => status)).isSubsetOf(new Set([200, 401]))).toBe(true)
  expect(await directoryNumber('select count(*) n from sessions where user_id = ?', Number(hal.id))).toBe(50)
  expect((await refreshWith(hal.refreshToken)).status).toBe(401)
  await drained(hal.id)
  const logins = await Promise.all(race.filter(({ ok }) => ok).map((response) => response.json<Tokens>()))
  const outcomes = await Promise.all(logins.map(({ refreshToken }) => refreshWith(refreshToken)))
  const alive = outcomes.filter(({ status }) => status === 200)
  expect(alive).toHaveLength(50)
  expect(await directoryNumber('select count(*) n from sessions where user_id = ?', Number(hal.id))).toBe(50)
}, 60_000)

test('a mail warns about a login on a new device, but not about the first login or one on a known device', async () => {
  const email = 'ivy.warned@example.com'
  const ivy = await registeredUser('ivy_warned', { email })
  const known = await logIn('ivy_warned', PASSWORD, anonymousClient(), ivy.deviceToken)
  expect(known.status).toBe(200)
  await drained(ivy.id)
  expect(warningsTo(email)).toEqual([])
  await loggedInWith('ivy_warned', { 'user-agent': firefox })
  await until(() => warningsTo(email).length === 1)
  expect(warningsTo(email)[0]!.text).toContain('Device: Firefox on Linux. Place: unknown.')
})

test('while R2 is down, people log in without a device in the list, and registrations get 503', async () => {
  await registeredUser('zed_bucketless')
  const KEYS = Object.assign(Object.create(env.KEYS), {
    get: () => Promise.reject(new Error('get: Network connection lost. (10001)')),
  })
  const post = (path: string, json: object) =>
    fetchWith({ ...env, KEYS }, path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(json),
    })
  const login = await post('/v1/auth/login', { identifier: 'zed_bucketless', password: PASSWORD })
  expect(login.status).toBe(200)
  const { accessToken } = await login.json<{ accessToken: string }>()
  const current = (await sessionsOf(accessToken)).find(({ isCurrent }) => isCurrent)
  expect(current?.device).toBe('Unknown device')
  const registration = { handle: 'zed_refused', email: 'zed_refused@example.com', password: PASSWORD }
  expect((await post('/v1/auth/register', registration)).status).toBe(503)
  expect(await directoryNumber("select count(*) n from handles where handle = 'zed_refused'")).toBe(0)
})
