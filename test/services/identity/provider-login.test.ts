import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { markSuspended, registeredUser } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { directoryNumber, statusWith } from '../../support/auth.ts'
import { fetchWith } from '../../support/client.ts'
import { movableClock } from '../../support/clock.ts'
import { addTotp, codeAt, secondStep } from '../../support/factors.ts'
import { interceptMails } from '../../support/mails.ts'
import { OidcProvider } from '../../support/oidc-provider.ts'
import { drained } from '../../support/outboxes.ts'
import {
  insertLink,
  newPerson,
  problemOf,
  type Started,
  stored,
  tokensOf,
  withProvider,
  worldOf,
} from '../../support/provider-logins.ts'
import { until } from '../../support/until.ts'

beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const linksOf = (sub: string) => directoryNumber('select count(*) n from credentials where account_id = ?', sub)
const sessionsOf = (id: string) => directoryNumber('select count(*) n from sessions where user_id = ?', Number(id))

test('a first login registers an account, and later ones log in to it, whatever address the provider names', async () => {
  const { provider, logInAs, pendingOf, post } = await withProvider()
  const person = newPerson()
  const first = await logInAs(provider, { ...person, name: 'Ada Lovelace' })
  expect(first.status).toBe(403)
  const pending = await pendingOf(first)
  expect(pending).toMatchObject({
    handle: person.preferred_username,
    displayName: 'Ada Lovelace',
    email: person.email,
    isEmailVerified: true,
  })
  const json = { token: pending.token, handle: pending.handle }
  const registered = await tokensOf(await post('/auth/providers/register', json))
  expect(await statusWith(registered.accessToken)).toBe(200)
  const again = await tokensOf(await logInAs(provider, { sub: person.sub, email: 'other@example.com' }))
  expect(again.account).toEqual(registered.account)
  expect(await linksOf(person.sub)).toBe(1)
})

test('the providers are listed without their secrets, and none where none is configured', async () => {
  const { provider, call } = await withProvider()
  const listed = await call('GET', '/v1/auth/providers')
  expect(await listed.json()).toEqual({ items: [{ id: provider.entry.id, name: 'Local ID' }] })
  expect(listed.headers.get('cache-control')).toBe('public, max-age=300')
  expect(await (await fetchWith(env, '/v1/auth/providers')).json()).toEqual({ items: [] })
  const start = await fetchWith(env, '/v1/auth/providers/google/start', { method: 'POST' })
  expect(start.status).toBe(404)
})

test('the person is sent to the provider with PKCE, a state and a nonce, and back to one fixed address', async () => {
  const { provider, start } = await withProvider()
  const [first, second] = [await start(provider), await start(provider)]
  const asked = new URL(first.url)
  expect(asked.origin + asked.pathname).toBe(`${provider.issuer}/authorize`)
  expect(Object.fromEntries(asked.searchParams)).toEqual({
    client_id: 'socialconnect',
    redirect_uri: 'http://127.0.0.1:8787/login/callback',
    response_type: 'code',
    scope: 'openid email profile',
    state: expect.stringMatching(/^[\w-]{43}$/),
    nonce: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge: expect.stringMatching(/^[\w-]{43}$/),
    code_challenge_method: 'S256',
  })
  for (const name of ['state', 'nonce', 'code_challenge']) {
    expect(asked.searchParams.get(name)).not.toBe(new URL(second.url).searchParams.get(name))
    expect(first.flow).not.toContain(asked.searchParams.get(name))
  }
})

test('a callback is refused, and nothing changes, unless this client started it here and it is unused', async () => {
  const clock = movableClock()
  const { provider, start, post } = await withProvider()
  const ada = await registeredUser()
  await insertLink(ada.id, provider.issuer, 'ada')
  const person = { sub: 'ada' }
  const callback = (json: object) => post('/auth/providers/callback', json)
  const [mine, other] = [await start(provider), await start(provider)]
  const agreed = provider.agree(mine.url, person)
  const before = await stored()
  const cases: [object, RegExp][] = [
    [{ ...agreed, flow: 'made up' }, /flow is not one/],
    [{ ...agreed, flow: `${mine.flow.slice(0, -2)}AA` }, /flow is not one/],
    [{ ...agreed, flow: other.flow }, /state belongs to another flow/],
    [{ ...agreed, flow: mine.flow, state: 'made up' }, /state belongs to another flow/],
    [{ ...agreed, flow: mine.flow, iss: 'https://evil.example.org' }, /iss is not the provider/],
    [{ ...agreed, flow: mine.flow, iss: undefined }, /"iss"/],
    [{ ...agreed, flow: (await start(provider)).flow, code: 'made up' }, /state belongs/],
    [{ ...agreed }, /flow/],
  ]
  for (const [json, text] of cases) expect((await problemOf(await callback(json))).text).toMatch(text)
  expect(await stored()).toBe(before)
  clock.advance(10 * 60_000 + 1)
  expect((await problemOf(await callback({ ...agreed, flow: mine.flow }))).text).toMatch(/flow has expired/)
  expect(await stored()).toBe(before)
  expect(provider.asked.token).toBe(0)
})

test('a wrong code, a used one and one from the login of somebody else are refused', async () => {
  const { provider, start, post, logInAs } = await withProvider()
  const ada = await registeredUser()
  await insertLink(ada.id, provider.issuer, 'ada')
  const victim = await start(provider)
  const used = provider.agree(victim.url, { sub: 'ada' })
  expect((await post('/auth/providers/callback', { ...used, flow: victim.flow })).status).toBe(200)
  const stolen = provider.agree((await start(provider)).url, { sub: 'ada' })
  const before = await stored()
  for (const { code } of [{ code: 'made up' }, used, stolen]) {
    const problem = await problemOf(await logInAs(provider, { sub: 'mallory' }, { code }))
    expect(problem).toMatchObject({ status: 422, text: expect.stringMatching(/code was refused by Local ID/) })
  }
  expect(await stored()).toBe(before)
})

test('of two callbacks with one flow, one succeeds, and the provider is asked once', async () => {
  const { provider, start, post } = await withProvider()
  const ada = await registeredUser()
  await insertLink(ada.id, provider.issuer, 'ada')
  const { url, flow } = await start(provider)
  const json = { ...provider.agree(url, { sub: 'ada' }), flow }
  const sessions = await sessionsOf(ada.id)
  const responses = await Promise.all([1, 2].map(() => post('/auth/providers/callback', json)))
  expect(responses.map(({ status }) => status).sort()).toEqual([200, 422])
  const late = await problemOf(responses.find(({ status }) => status === 422)!)
  expect(late.text).toMatch(/flow was already used/)
  expect((await problemOf(await post('/auth/providers/callback', json))).text).toMatch(/flow was already used/)
  expect(await sessionsOf(ada.id)).toBe(sessions + 1)
  expect(provider.asked.token).toBe(1)
})

test('the answer of one provider is never used for the login at another one', async () => {
  const [honest, evil] = [
    await OidcProvider.at('http://127.0.0.1:9081'),
    await OidcProvider.at('http://127.0.0.1:9082'),
  ]
  const { start, post, logInAs } = worldOf([honest, evil])
  const ada = await registeredUser()
  await insertLink(ada.id, honest.issuer, 'ada')
  const [atHonest, atEvil] = [await start(honest), await start(evil)]
  const before = await stored()
  const mixed: Started & object = atHonest
  const answers = [
    { ...evil.agree(atEvil.url, { sub: 'ada' }), flow: mixed.flow },
    { ...evil.agree(mixed.url, { sub: 'ada' }), flow: mixed.flow },
    { ...honest.agree(mixed.url, { sub: 'ada' }), flow: atEvil.flow },
  ]
  for (const json of answers) expect((await post('/auth/providers/callback', json)).status).toBe(422)
  expect(await stored()).toBe(before)
  expect((await problemOf(await logInAs(evil, { sub: 'ada' }))).code).toBe('registration_required')
})

test('keys that the provider replaces are read again, at most once a minute', async () => {
  const clock = movableClock()
  const { provider, logInAs } = await withProvider()
  const ada = await registeredUser()
  await insertLink(ada.id, provider.issuer, 'ada')
  const log = async () => (await logInAs(provider, { sub: 'ada' })).status
  expect([await log(), await log(), provider.asked.keys, provider.asked.discovery]).toEqual([200, 200, 1, 1])
  await provider.rotateKeys()
  expect([await log(), await log(), provider.asked.keys]).toEqual([502, 502, 1])
  clock.advance(61_000)
  expect([await log(), await log(), provider.asked.keys]).toEqual([200, 200, 2])
  clock.advance(3_600_000)
  expect([await log(), provider.asked.discovery]).toEqual([200, 2])
})

test('a login with a provider follows the rules of any login: suspension, deletion, approval and new devices', async () => {
  const mails = interceptMails()
  const { provider, logInAs } = await withProvider()
  const ada = await registeredUser()
  await insertLink(ada.id, provider.issuer, 'ada')
  const first = await tokensOf(await logInAs(provider, { sub: 'ada' }))
  await until(() => mails.warningsTo(`${ada.handle}@example.com`).length === 1)
  const { deviceToken } = first
  expect((await logInAs(provider, { sub: 'ada' }, { deviceToken })).status).toBe(200)
  await drained()
  expect(mails.warningsTo(`${ada.handle}@example.com`)).toHaveLength(1)
  expect((await auditOf(ada.id)).filter(({ action }) => action === 'logged-in').length).toBeGreaterThanOrEqual(3)
  expect((await ada.fetch('/v1/me', { method: 'DELETE' })).status).toBe(202)
  expect(await tokensOf(await logInAs(provider, { sub: 'ada' }))).toMatchObject({ deletionCancelled: true })
  await env.DIRECTORY.prepare(`update users set approval = 'required' where id = ?`).bind(Number(ada.id)).run()
  expect((await problemOf(await logInAs(provider, { sub: 'ada' }))).code).toBe('awaiting_approval')
  await env.DIRECTORY.prepare('update users set approval = null where id = ?').bind(Number(ada.id)).run()
  await markSuspended(ada.id)
  expect(await tokensOf(await logInAs(provider, { sub: 'ada' }))).toMatchObject({ suspended: true })
})

test('a login with a provider needs the second factor of the account', async () => {
  const { provider, logInAs } = await withProvider()
  const ada = await registeredUser()
  await insertLink(ada.id, provider.issuer, 'ada')
  const { secret } = await addTotp(ada)
  const sessions = await sessionsOf(ada.id)
  const first = await logInAs(provider, { sub: 'ada' })
  const { code, secondFactor } = await first.json<{ code: string; secondFactor: { challenge: string } }>()
  expect([first.status, code, await sessionsOf(ada.id)]).toEqual([401, 'second_factor_required', sessions])
  expect((await secondStep(secondFactor.challenge, { code: codeAt(secret) })).status).toBe(200)
  expect(await sessionsOf(ada.id)).toBe(sessions + 1)
})

test('a provider that fails does not affect logins with a password', async () => {
  const { provider, logInAs, logIn: logInHere } = await withProvider()
  provider.faults.discovery = () => Promise.reject(new TypeError('Network connection lost'))
  const ada = await registeredUser()
  expect((await logInAs(provider, { sub: 'ada' }).catch(() => null))?.status ?? 0).not.toBe(200)
  expect((await logInHere(ada.handle)).status).toBe(200)
})
