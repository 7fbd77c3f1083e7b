import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { claimsOf, directoryNumber, directoryRow, logIn } from '../../support/auth.ts'
import { addTotp, codeAt, newPasskey } from '../../support/factors.ts'
import { interceptMails } from '../../support/mails.ts'
import { drained } from '../../support/outboxes.ts'
import {
  insertLink,
  newPerson,
  problemOf,
  type Started,
  stored,
  tokensOf,
  withProvider,
} from '../../support/provider-logins.ts'
import {
  changeAddress,
  confirmAddress,
  mailedAddressToken,
  mailedUndoToken,
  undoAddress,
} from '../../support/recovery.ts'
import { until } from '../../support/until.ts'

beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => {
  vi.restoreAllMocks()
})

type Link = { id: string; provider: string; linkedAt: string; lastUsedAt: string }
const ownerOf = async (sub: string) =>
  (await directoryRow<{ user_id: number }>('select user_id from credentials where account_id = ?', sub))?.user_id
const linksOf = (id: string) =>
  directoryNumber(`select count(*) n from credentials where user_id = ? and provider_id <> 'credential'`, Number(id))

const mailed = ({ mailsTo }: ReturnType<typeof interceptMails>, { handle }: RegisteredUser, subject: string) =>
  until(() => mailsTo(`${handle}@example.com`).some((mail) => mail.subject === subject))

/** Makes the login look older than ten minutes. */
const age = ({ token }: { token: string }) =>
  env.DIRECTORY.prepare('update sessions set created_at = 1, confirmed_at = null where id = ?')
    .bind(claimsOf(token).sid)
    .run()

test('an identity is linked with a fresh login only, then it logs in; this is audited and mailed', async () => {
  const mails = interceptMails()
  const { provider, finishAs, logInAs, call } = await withProvider()
  const ada = await registeredUser()
  await age(ada)
  expect((await problemOf(await finishAs(provider, { sub: 'ada' }, ada.token))).code).toBe('fresh_login_required')
  expect(await linksOf(ada.id)).toBe(0)
  const { accessToken: token } = await tokensOf(await logIn(ada.handle))
  expect((await finishAs(provider, { sub: 'ada' }, token)).status).toBe(204)
  expect((await finishAs(provider, { sub: 'ada' }, token)).status).toBe(204)
  const { account } = await tokensOf(await logInAs(provider, { sub: 'ada', email: 'other@example.com' }))
  expect(account.id).toBe(ada.id)
  const { items } = await (await call('GET', '/v1/me/providers', { token })).json<{ items: Link[] }>()
  expect(items).toEqual([
    { id: expect.any(String), provider: 'Local ID', linkedAt: expect.any(String), lastUsedAt: expect.any(String) },
  ])
  expect(items[0]!.lastUsedAt > items[0]!.linkedAt).toBe(true)
  await mailed(mails, ada, 'Local ID was linked to your account')
  await drained()
  expect((await auditOf(ada.id)).filter(({ action }) => action === 'provider-linked')).toHaveLength(1)
})

test('an identity is linked to one account, also if two link it at the same time', async () => {
  const { provider, finishAs } = await withProvider()
  const [ada, bob] = [await registeredUser(), await registeredUser()]
  const responses = await Promise.all([ada, bob].map(({ token }) => finishAs(provider, { sub: 'shared' }, token)))
  expect(responses.map(({ status }) => status).sort()).toEqual([204, 409])
  expect((await linksOf(ada.id)) + (await linksOf(bob.id))).toBe(1)
  const loser = (await linksOf(ada.id)) === 1 ? bob : ada
  expect((await problemOf(await finishAs(provider, { sub: 'shared' }, loser.token))).code).toBe('identity_linked')
})

test('a flow to link or confirm is finished only by the login that started it, and only for its purpose', async () => {
  const { provider, post, start } = await withProvider()
  const [ada, mallory] = [await registeredUser(), await registeredUser()]
  const other = await tokensOf(await logIn(ada.handle))
  const begin = async (act: 'link' | 'confirm') =>
    (await post(`/me/providers/${provider.entry.id}/${act}`, undefined, ada.token)).json<Started>()
  const [link, confirm, login] = [await begin('link'), await begin('confirm'), await start(provider)]
  const back = ({ url, flow }: Started) => ({ ...provider.agree(url, { sub: 'mallory' }), flow })
  const before = await stored()
  const cases: [Promise<Response>, RegExp][] = [
    [post('/auth/providers/finish', back(link), mallory.token), /started by another login/],
    [post('/auth/providers/finish', back(link), other.accessToken), /started by another login/],
    [post('/auth/providers/finish', back(confirm), mallory.token), /started by another login/],
    [post('/auth/providers/finish', back(login), ada.token), /another purpose: login/],
    [post('/auth/providers/callback', back(link)), /another purpose: link/],
    [post('/auth/providers/callback', back(confirm)), /another purpose: confirm/],
  ]
  for (const [response, text] of cases) expect((await problemOf(await response)).text).toMatch(text)
  expect((await post('/auth/providers/finish', back(link))).status).toBe(401)
  expect(await stored()).toBe(before)
  expect(await ownerOf('mallory')).toBeUndefined()
})

test('a login is confirmed at a linked provider that has just asked for the credentials', async () => {
  const { provider, finishAs, post } = await withProvider()
  const ada = await registeredUser()
  await insertLink(ada.id, provider.issuer, 'ada')
  await insertLink((await registeredUser()).id, provider.issuer, 'bob')
  await age(ada)
  const isFresh = async () => (await finishAs(provider, { sub: 'ada' }, ada.token)).status === 204
  const confirm = (sub: string) => finishAs(provider, { sub }, ada.token, 'confirm')
  const { url } = await (await post(`/me/providers/${provider.entry.id}/confirm`, undefined, ada.token)).json<Started>()
  expect(Object.fromEntries(new URL(url).searchParams)).toMatchObject({ prompt: 'login', max_age: '0' })
  for (const sub of ['bob', 'nobody']) expect((await problemOf(await confirm(sub))).text).toMatch(/not linked to your/)
  provider.claims.auth_time = Math.floor(Date.now() / 1_000) - 120
  expect((await problemOf(await confirm('ada'))).text).toMatch(/does not prove a new login/)
  provider.claims.auth_time = undefined
  expect((await problemOf(await confirm('ada'))).text).toMatch(/auth_time/)
  expect(await isFresh()).toBe(false)
  delete provider.claims.auth_time
  expect((await confirm('ada')).status).toBe(204)
  expect(await isFresh()).toBe(true)
  await drained()
  expect((await auditOf(ada.id)).filter(({ action }) => action === 'login-confirmed')).toHaveLength(1)
})

test('a provider confirms a login of an account with a second factor only together with a code, which works once', async () => {
  const { provider, finishAs, post } = await withProvider()
  const ada = await registeredUser()
  await insertLink(ada.id, provider.issuer, 'ada')
  const { secret, recoveryCodes } = await addTotp(ada)
  await env.DIRECTORY.prepare("delete from credentials where user_id = ? and provider_id = 'credential'")
    .bind(Number(ada.id))
    .run()
  await age(ada)
  const confirm = async (secondFactor?: object, sub = 'ada') =>
    (await finishAs(provider, { sub }, ada.token, 'confirm', { secondFactor })).status
  const alone = (proof: object) => post('/auth/confirm', proof, ada.token)
  for (const proof of [{ code: codeAt(secret) }, { recoveryCode: recoveryCodes[0] }]) {
    expect((await problemOf(await alone(proof))).text).toMatch(/passkey is required, or a confirmation at a provider/)
  }
  expect((await problemOf(await finishAs(provider, { sub: 'ada' }, ada.token, 'confirm'))).text).toMatch(
    /secondFactor is required/,
  )
  expect(await confirm({})).toBe(422)
  expect(await confirm({ code: '000000' })).toBe(401)
  expect(await confirm({ code: codeAt(secret) }, 'bob')).toBe(422)
  const isConfirmed = () =>
    directoryNumber('select count(confirmed_at) n from sessions where user_id = ?', Number(ada.id))
  expect(await isConfirmed()).toBe(0)
  expect(await confirm({ code: codeAt(secret) })).toBe(204)
  expect(await isConfirmed()).toBe(1)
  expect(await confirm({ code: codeAt(secret) })).toBe(401)
  expect(await confirm({ recoveryCode: recoveryCodes[0] })).toBe(204)
  expect(await confirm({ recoveryCode: recoveryCodes[0] })).toBe(401)
})

const unlink = async (user: Pick<RegisteredUser, 'token'>, call: Call, nth = 0) => {
  const { items } = await (await call('GET', '/v1/me/providers', { token: user.token })).json<{ items: Link[] }>()
  return call('DELETE', `/v1/me/providers/${items[nth]?.id}`, { token: user.token })
}
type Call = Awaited<ReturnType<typeof withProvider>>['call']

test('unlinking needs a fresh login, ends the way in, and is audited and mailed', async () => {
  const mails = interceptMails()
  const { provider, logInAs, call } = await withProvider()
  const [ada, bob] = [await registeredUser(), await registeredUser()]
  await insertLink(ada.id, provider.issuer, 'ada')
  const { items } = await (await call('GET', '/v1/me/providers', { token: ada.token })).json<{ items: Link[] }>()
  const foreign = await call('DELETE', `/v1/me/providers/${items[0]!.id}`, { token: bob.token })
  expect([foreign.status, await linksOf(ada.id)]).toEqual([404, 1])
  await age(ada)
  expect((await problemOf(await unlink(ada, call))).code).toBe('fresh_login_required')
  expect(await linksOf(ada.id)).toBe(1)
  const { accessToken: token } = await tokensOf(await logIn(ada.handle))
  expect((await unlink({ token }, call)).status).toBe(204)
  expect((await unlink({ token }, call)).status).toBe(404)
  expect((await problemOf(await logInAs(provider, { sub: 'ada' }))).code).toBe('registration_required')
  await mailed(mails, ada, 'Local ID was unlinked from your account')
  await drained()
  expect((await auditOf(ada.id)).filter(({ action }) => action === 'provider-unlinked')).toHaveLength(1)
})

test('the last way to log in cannot be removed, not even if two links are removed at the same time', async () => {
  const { provider, registerAs, finishAs, call } = await withProvider()
  const person = newPerson()
  const { accessToken: token, account } = await tokensOf(await registerAs(provider, person, person.preferred_username!))
  expect((await problemOf(await unlink({ token }, call))).code).toBe('last_way_to_log_in')
  expect((await finishAs(provider, { sub: `second ${person.sub}` }, token)).status).toBe(204)
  const responses = await Promise.all([unlink({ token }, call, 0), unlink({ token }, call, 1)])
  expect(responses.map(({ status }) => status).sort()).toEqual([204, 409])
  await insertLink(account.id, 'https://former.example.org', 'a provider that is no longer offered')
  expect((await problemOf(await unlink({ token }, call, 1))).code).toBe('last_way_to_log_in')
  expect(await linksOf(account.id)).toBe(2)
})

test('a passkey that is the last way to log in stays', async () => {
  const { provider, registerAs, call } = await withProvider()
  const person = newPerson()
  const { accessToken: token } = await tokensOf(await registerAs(provider, person, person.preferred_username!))
  const passkey = await call('POST', '/v1/me/passkeys', { token, json: await newPasskey(token) })
  const { id } = await passkey.json<{ id: string }>()
  expect((await unlink({ token }, call)).status).toBe(204)
  const refused = await call('DELETE', `/v1/me/passkeys/${id}`, { token })
  expect((await problemOf(refused)).code).toBe('last_way_to_log_in')
  expect(await directoryNumber('select count(*) n from passkeys where id = ?', id)).toBe(1)
})

test('an identity is not linked for a login that has ended meanwhile', async () => {
  const { provider, post } = await withProvider()
  const ada = await registeredUser()
  const { url, flow } = await (
    await post(`/me/providers/${provider.entry.id}/link`, undefined, ada.token)
  ).json<Started>()
  const back = { ...provider.agree(url, { sub: 'late' }), flow }
  const { sid } = claimsOf(ada.token)
  await env.DIRECTORY.prepare('delete from sessions where id = ?').bind(sid).run() // the lease does not know it yet
  expect((await post('/auth/providers/finish', back, ada.token)).status).toBe(401)
  expect(await ownerOf('late')).toBeUndefined()
})

test('an account is linked to at most ten identities', async () => {
  const { provider, finishAs } = await withProvider()
  const ada = await registeredUser()
  for (let i = 0; i < 10; i++) await insertLink(ada.id, provider.issuer, `ada ${i}`)
  expect((await problemOf(await finishAs(provider, { sub: 'ada 10' }, ada.token))).code).toBe('too_many_links')
  expect(await linksOf(ada.id)).toBe(10)
})

test('undoing a change of the address removes the links that a stranger may have made', async () => {
  const { provider, logInAs } = await withProvider()
  const ada = await registeredUser()
  await insertLink(ada.id, provider.issuer, 'stranger')
  await changeAddress(ada, 'stranger_oidc@example.org')
  await confirmAddress(await mailedAddressToken(ada.id, 'stranger_oidc@example.org'))
  expect((await undoAddress(await mailedUndoToken(ada.id, `${ada.handle}@example.com`))).status).toBe(204)
  expect(await linksOf(ada.id)).toBe(0)
  expect((await problemOf(await logInAs(provider, { sub: 'stranger' }))).code).toBe('registration_required')
})
