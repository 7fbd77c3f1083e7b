import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { mailedToken, PASSWORD, registeredUser } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { directoryNumber, directoryRow, logIn, register, statusWith } from '../../support/auth.ts'
import { postJson } from '../../support/client.ts'
import { movableClock } from '../../support/clock.ts'
import { interceptMails } from '../../support/mails.ts'
import { accountIdOf, inMode } from '../../support/modes.ts'
import { drained } from '../../support/outboxes.ts'
import { insertLink, newPerson, problemOf, stored, tokensOf, withProvider } from '../../support/provider-logins.ts'
import { mailedResetToken, NEW_PASSWORD, resetWith } from '../../support/recovery.ts'
import { until } from '../../support/until.ts'

beforeEach(() => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const handlesNamed = (handle: string) => directoryNumber('select count(*) n from handles where handle = ?', handle)
const ownerOf = async (sub: string) =>
  (await directoryRow<{ user_id: number }>('select user_id from credentials where account_id = ?', sub))?.user_id
const unverified = (person: object) => ({ ...person, email_verified: false })

test('nobody is linked by an address: the owner of it is told to log in and link the provider', async () => {
  const { provider, logInAs, registerAs } = await withProvider()
  const ada = await registeredUser()
  const person = { sub: 'not linked', email: `${ada.handle}@example.com`, email_verified: true }
  const before = await stored()
  expect(await problemOf(await logInAs(provider, person))).toMatchObject({ status: 409, code: 'link_required' })
  expect(await problemOf(await logInAs(provider, { ...person, email: person.email.toUpperCase() }))).toMatchObject({
    code: 'link_required',
  })
  expect(await stored()).toBe(before)
  expect(await ownerOf('not linked')).toBeUndefined()
  const stranger = unverified(person) as typeof person
  expect((await problemOf(await logInAs(provider, stranger))).code).toBe('registration_required')
  expect((await problemOf(await registerAs(provider, stranger, 'not_by_address'))).code).toBe('verification_required')
  expect(await ownerOf('not linked')).toBeUndefined()
})

test('an address that the provider has not verified gets the same answers and mails as in any registration', async () => {
  const mails = interceptMails()
  const { provider, registerAs } = await withProvider()
  const ada = await registeredUser()
  const known = { ...newPerson(), email: `${ada.handle}@example.com`, email_verified: false }
  const unknown = { ...newPerson(), email_verified: false }
  const shapes: unknown[] = []
  for (const person of [known, unknown]) {
    const answer = await registerAs(provider, person, person.preferred_username!)
    const { registrationToken, instance: _, ...rest } = await answer.json<Record<string, unknown>>()
    expect(registrationToken).toMatch(/^[\w-]{43}$/)
    shapes.push([answer.status, rest])
  }
  expect(shapes[0]).toEqual(shapes[1])
  await drained()
  await until(() => mails.mailsTo(known.email).some(({ subject }) => subject === 'You already have an account'))
  expect((await mails.nthMailTo(unknown.email, 1)).subject).toBe('Verify your address')
})

test('an account with an unverified address opens in the browser that registered, and not elsewhere', async () => {
  const { provider, registerAs, logInAs } = await withProvider()
  const person = { ...newPerson(), email_verified: false }
  const handle = person.preferred_username!
  const { registrationToken } = await (await registerAs(provider, person, handle)).json<{ registrationToken: string }>()
  expect((await problemOf(await logInAs(provider, person))).code).toBe('registration_required')
  const token = await mailedToken(handle)
  const verify = (proof: object) => postJson('/v1/auth/verify', { token, ...proof })
  for (const proof of [{}, { password: PASSWORD }, { registrationToken: 'x'.repeat(43) }]) {
    expect((await problemOf(await verify(proof))).text).toMatch(/registrationToken is required/)
  }
  const { account } = await tokensOf(await verify({ registrationToken }))
  expect((await tokensOf(await logInAs(provider, person))).account).toEqual(account)
})

test('somebody who registered an address of others first keeps no way into the account of its owner', async () => {
  const { provider, registerAs } = await withProvider()
  const person = newPerson()
  await register('squatter_oidc', { email: person.email })
  const { account } = await tokensOf(await registerAs(provider, person, person.preferred_username!))
  expect(await handlesNamed('squatter_oidc')).toBe(0)
  expect((await logIn(person.email, PASSWORD)).status).toBe(401)
  expect(await ownerOf(person.sub)).toBe(Number(account.id))
})

test('two registrations with one identity make one account', async () => {
  const { provider, logInAs, pendingOf, post } = await withProvider()
  const person = newPerson()
  const token = async () => (await pendingOf(await logInAs(provider, person))).token
  const [first, second] = [await token(), await token()]
  const name = person.preferred_username!.slice(0, 20)
  const responses = await Promise.all(
    [first, second].map((given, i) => post('/auth/providers/register', { token: given, handle: `${name}_${i}` })),
  )
  expect(responses.map(({ status }) => status).sort()).toEqual([200, 409])
  const used = await post('/auth/providers/register', { token: first, handle: `${name}_3`, email: 'new@example.com' })
  expect((await problemOf(used)).code).toBe('identity_linked')
  expect(await directoryNumber('select count(*) n from credentials where account_id = ?', person.sub)).toBe(1)
  expect(
    (await handlesNamed(`${name}_0`)) + (await handlesNamed(`${name}_1`)) + (await handlesNamed(`${name}_3`)),
  ).toBe(1)
})

test('a registration is refused, and changes nothing, with a bad token, handle or address', async () => {
  const clock = movableClock()
  const { provider, logInAs, pendingOf, post } = await withProvider()
  const { handle: taken } = await registeredUser()
  const { token } = await pendingOf(await logInAs(provider, newPerson()))
  const nameless = await pendingOf(await logInAs(provider, { sub: 'nameless' }))
  expect(nameless).toMatchObject({ handle: null, email: null, isEmailVerified: false })
  const before = await stored()
  const cases: [object, RegExp][] = [
    [{ token: 'made up', handle: 'oidc_bad' }, /token is not one/],
    [{ token: `${token.slice(0, -2)}AA`, handle: 'oidc_bad' }, /token is not one/],
    [{ token, handle: 'admin' }, /handle is reserved/],
    [{ token, handle: 'x' }, /handle must/],
    [{ token: nameless.token, handle: 'oidc_bad' }, /email is required/],
  ]
  for (const [json, text] of cases)
    expect((await problemOf(await post('/auth/providers/register', json))).text).toMatch(text)
  expect((await problemOf(await post('/auth/providers/register', { token, handle: taken }))).code).toBe('handle_taken')
  clock.advance(30 * 60_000 + 1)
  const late = await problemOf(await post('/auth/providers/register', { token, handle: 'oidc_bad' }))
  expect(late.text).toMatch(/token has expired/)
  expect(await stored()).toBe(before)
})

test('the rules of registration hold: closed, invitation, approval and terms', async () => {
  const closed = await withProvider('closed')
  expect((await problemOf(await closed.registerAs(closed.provider, newPerson(), 'oidc_closed'))).code).toBe(
    'registration_closed',
  )
  const invited = await withProvider('invitation')
  const inviter = await registeredUser()
  const created = await inMode('invitation').call('POST', '/v1/invitations', { token: inviter.token })
  const { code: invitation } = await created.json<{ code: string }>()
  const withoutCode = await invited.registerAs(invited.provider, newPerson(), 'oidc_invited')
  expect((await problemOf(withoutCode)).text).toMatch(/invitation/)
  const joined = await invited.registerAs(invited.provider, newPerson(), 'oidc_invited', { invitation })
  expect(joined.status).toBe(200)
  const again = await invited.registerAs(invited.provider, newPerson(), 'oidc_invited_2', { invitation })
  expect((await problemOf(again)).text).toMatch(/invitation/)
  const approval = await withProvider('approval', { TERMS_VERSION: '2026' })
  const person = newPerson()
  const refused = await approval.registerAs(approval.provider, person, 'oidc_waiting')
  expect((await problemOf(refused)).text).toMatch(/termsVersion/)
  const waiting = await approval.registerAs(approval.provider, person, 'oidc_waiting', { termsVersion: '2026' })
  expect((await problemOf(waiting)).code).toBe('awaiting_approval')
  expect((await problemOf(await approval.logInAs(approval.provider, person))).code).toBe('awaiting_approval')
  await env.DIRECTORY.prepare('update users set approval = null where id = ?')
    .bind(Number(await accountIdOf('oidc_waiting')))
    .run()
  expect((await approval.logInAs(approval.provider, person)).status).toBe(200)
})

test('an account without a password gets one by a reset mail, and its registration is audited', async () => {
  const { provider, registerAs, call } = await withProvider()
  const person = newPerson()
  const { accessToken, account } = await tokensOf(await registerAs(provider, person, person.preferred_username!))
  const identity = async (token: string) => (await (await call('GET', '/v1/me/identity', { token })).json()) as object
  expect(await identity(accessToken)).toMatchObject({ hasPassword: false, email: person.email })
  const change = await call('PUT', '/v1/auth/password', { token: accessToken, json: { password: NEW_PASSWORD } })
  expect((await problemOf(change)).code).toBe('forbidden')
  expect((await logIn(account.handle, '')).status).toBe(401)
  expect((await logIn(account.handle, 'null')).status).toBe(401)
  expect((await resetWith(await mailedResetToken(account.id), NEW_PASSWORD)).status).toBe(200)
  const tokens = await tokensOf(await logIn(account.handle, NEW_PASSWORD))
  expect(await identity(tokens.accessToken)).toMatchObject({ hasPassword: true })
  expect(await statusWith(tokens.accessToken)).toBe(200)
  await drained()
  const actions = (await auditOf(account.id)).map(({ action }) => action)
  expect(actions).toEqual(expect.arrayContaining(['registered', 'address-verified', 'provider-linked', 'logged-in']))
})

test('an identity that is linked already registers no second account', async () => {
  const { provider, logInAs, pendingOf, post } = await withProvider()
  const person = newPerson()
  const { token } = await pendingOf(await logInAs(provider, person))
  const ada = await registeredUser()
  await insertLink(ada.id, provider.issuer, person.sub)
  const response = await post('/auth/providers/register', { token, handle: 'oidc_second' })
  expect(await problemOf(response)).toMatchObject({ status: 409, code: 'identity_linked' })
  expect(await handlesNamed('oidc_second')).toBe(0)
})
