import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import type { AllowedApps, App, AppWithSecret } from '../../../src/services/apps/views.ts'
import { type RegisteredUser, registeredUser, setRole } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { directoryNumber, outcomeOf, socketWith, statusWith } from '../../support/auth.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'
import { insertRows } from '../../support/databases.ts'
import { interceptMails } from '../../support/mails.ts'
import {
  allow,
  authorize,
  codeFor,
  connect,
  decide,
  errorOf,
  exchange,
  post,
  proof,
  refreshAs,
  registeredApp,
  requestOf,
} from '../../support/oauth.ts'
import { delivered, drained } from '../../support/outboxes.ts'

const clock = movableClock()
let ada: RegisteredUser
let bob: RegisteredUser
let mod: RegisteredUser

beforeAll(async () => {
  ada = await registeredUser()
  bob = await registeredUser()
  mod = await registeredUser()
  await setRole(mod, 'moderator')
})

const SCOPE = 'posts:read accounts:read offline_access realtime'
const disable = (id: string, by = mod, reason = 'Spam') =>
  by.fetch(`/v1/apps/${id}/disabled`, { method: 'PUT', json: { reason } })
const enable = (id: string, by = mod) => by.fetch(`/v1/apps/${id}/disabled`, { method: 'DELETE' })
const allowed = async ({ id }: { id: string }) =>
  (await (await ada.fetch('/v1/me/apps')).json<AllowedApps>()).items.find((app) => app.id === id)
const own = async ({ id }: { id: string }) =>
  (await (await bob.fetch('/v1/apps')).json<{ items: App[] }>()).items.find((app) => app.id === id)
const loginsOf = ({ id }: { id: string }) =>
  directoryNumber('select count(*) as n from sessions where app_id = ?', Number(id))

test('a disabled app gets no codes and no tokens, and its tokens and sockets end; the approvals of people are kept', async () => {
  const app = await registeredApp(bob, 'confidential')
  const tokens = await connect(ada, app, SCOPE)
  const code = await codeFor(ada, app)
  const { closed } = await socketWith(tokens.access_token)
  expect((await disable(app.id)).status).toBe(204)
  clock.advance(LEASE_MS)
  expect(await statusWith(tokens.access_token)).toBe(401)
  expect(await closed).toMatchObject({ reason: 'logged out' })
  const refused = [400, 'unauthorized_client']
  expect(await errorOf(await refreshAs(app, tokens.refresh_token))).toEqual(refused)
  expect(await errorOf(await exchange(app, code))).toEqual(refused)
  const presented = { ...proof(app), token: tokens.access_token }
  expect(await errorOf(await post('introspect', presented))).toEqual(refused)
  expect((await post('revoke', presented)).status).toBe(200)
  const page = await authorize(requestOf(app))
  expect([page.status, await page.text()]).toEqual([400, expect.stringContaining('error=unauthorized_client')])
  for (const path of ['', '/repeat']) {
    expect(await errorOf(await decide(ada, requestOf(app), path))).toEqual([400, 'invalid_app_request'])
  }
  expect(await loginsOf(app)).toBe(0)
  expect(await allowed(app)).toMatchObject({ isDisabled: true, lastUsedAt: null })
  expect(await own(app)).toMatchObject({ disabledAt: expect.any(String), disabledReason: 'Spam' })
  const deleted = await bob.fetch(`/v1/apps/${app.id}`, { method: 'DELETE' })
  expect(await outcomeOf(deleted)).toEqual([409, 'conflict'])
})

test('an app that is enabled again gets tokens without asking again, and its former tokens stay void', async () => {
  const app = await registeredApp(bob)
  const tokens = await connect(ada, app)
  await disable(app.id)
  await drained()
  expect((await enable(app.id)).status).toBe(204)
  expect(await statusWith(tokens.access_token)).toBe(401)
  expect(await errorOf(await refreshAs(app, tokens.refresh_token))).toEqual([400, 'invalid_grant'])
  expect((await decide(ada, requestOf(app), '/repeat')).status).toBe(200)
  const later = await connect(ada, app)
  expect(await statusWith(later.access_token)).toBe(200)
  expect(await allowed(app)).toMatchObject({ isDisabled: false })
  expect(await own(app)).toMatchObject({ disabledAt: null, disabledReason: null })
})

test('the logins of an app with more people than one step holds end too, and logins after it was enabled go on', async () => {
  const app = await registeredApp(bob)
  const people = Array.from({ length: 230 }, (_, i) => 900_000_000 + i)
  const at = { created_at: 0, updated_at: 0 }
  const users = people.map((id) => ({ id, email: `many ${id}`, sealed_address: '', ...at }))
  await insertRows(env.DIRECTORY, 'users', users)
  const logins = people.map((id) => ({ id: `many ${id}`, user_id: id, token: `many ${id}`, app_id: Number(app.id) }))
  await insertRows(
    env.DIRECTORY,
    'sessions',
    logins.map((login) => ({ ...login, expires_at: 9e12, ...at })),
  )
  await disable(app.id)
  expect(await loginsOf(app)).toBe(130)
  await drained()
  expect(await loginsOf(app)).toBe(0)
  await insertRows(
    env.DIRECTORY,
    'sessions',
    logins.map((login) => ({ ...login, expires_at: 9e12, ...at })),
  )
  await disable(app.id, mod, 'Another reason')
  await enable(app.id)
  const { access_token } = await connect(ada, app)
  await drained()
  expect(await loginsOf(app)).toBe(1)
  expect(await statusWith(access_token)).toBe(200)
})

test('a code that is exchanged while the app is disabled opens no login', async () => {
  const app = await registeredApp(bob)
  const code = await codeFor(ada, app)
  const [, exchanged] = await Promise.all([disable(app.id), exchange(app, code)])
  await drained()
  expect(await loginsOf(app)).toBe(0)
  if (!exchanged.ok) return
  clock.advance(LEASE_MS)
  expect(await statusWith((await exchanged.json<{ access_token: string }>()).access_token)).toBe(401)
})

test('only staff with a recent login disables apps; an unknown app is not found, and a reason is required', async () => {
  const app = await registeredApp(bob)
  for (const call of [disable, enable]) {
    expect(await outcomeOf(await call(app.id, bob))).toEqual([403, 'forbidden'])
    expect(await outcomeOf(await call('123'))).toEqual([404, 'not_found'])
  }
  expect(await outcomeOf(await disable(app.id, mod, ' \u200b '))).toEqual([422, 'invalid'])
  expect(await own(app)).toMatchObject({ disabledAt: null })
})

test('the log names who disabled an app, and its developer gets the reason by mail, once', async () => {
  const mails = interceptMails()
  const app = await registeredApp(bob, 'public', { name: 'Magpie' })
  for (const _ of [1, 2]) await disable(app.id, mod, 'It steals')
  for (const _ of [1, 2]) await enable(app.id)
  await delivered()
  const acts = (await auditOf(bob.id)).filter(({ detail, actorId }) => detail?.includes(app.id) && actorId === mod.id)
  expect(acts.map(({ action }) => action).sort()).toEqual(['app-disabled', 'app-enabled'])
  const texts = mails.mailsTo(`${bob.handle}@example.com`).filter(({ text }) => text.includes('Magpie'))
  expect(texts.map(({ subject }) => subject).sort()).toEqual(['Your app was disabled', 'Your app was enabled again'])
  expect(texts.map(({ text }) => text).join()).toContain('It steals')
})

test('an app that registered itself is disabled too, although it has no developer', async () => {
  const app = await registeredApp(bob)
  await env.DIRECTORY.prepare('update apps set owner_id = null where id = ?').bind(Number(app.id)).run()
  await allow(ada, requestOf(app))
  expect((await disable(app.id)).status).toBe(204)
  expect(await allowed(app)).toMatchObject({ isDisabled: true, developer: null })
  await drained()
  const acts = (await auditOf(mod.id)).filter(({ detail }) => detail?.includes(app.id))
  expect(acts).toMatchObject([{ action: 'app-disabled', accountId: null, actorId: mod.id }])
})

test('the log shows when an app logs a person in again without asking', async () => {
  const app = await registeredApp(bob)
  await allow(ada, requestOf(app))
  expect((await decide(ada, requestOf(app), '/repeat')).status).toBe(200)
  await drained()
  const acts = (await auditOf(ada.id)).filter(({ detail }) => detail?.includes(app.id))
  expect(acts.map(({ action }) => action).sort()).toEqual(['app-allowed', 'app-logged-in'])
})

test('after a change of its redirects, an app that was allowed before must ask again', async () => {
  const app = await registeredApp(bob)
  await allow(ada, requestOf(app))
  const edit = (json: object) => bob.fetch(`/v1/apps/${app.id}`, { method: 'PATCH', json })
  expect((await edit({ name: 'Jay', redirectUris: app.redirectUris })).status).toBe(200)
  expect((await decide(ada, requestOf(app), '/repeat')).status).toBe(200)
  const redirectUris = [...app.redirectUris, 'https://evil.example/cb']
  expect((await edit({ redirectUris })).status).toBe(200)
  const request = requestOf(app, { redirect_uri: 'https://evil.example/cb' })
  const read = await ada.fetch(`/v1/oauth/authorizations?request=${encodeURIComponent(request)}`)
  expect(await read.json()).toMatchObject({ next: 'ask' })
  expect(await errorOf(await decide(ada, request, '/repeat'))).toEqual([409, 'consent_required'])
  await allow(ada, request)
  expect((await decide(ada, request, '/repeat')).status).toBe(200)
})

test('the developer of an app gets a mail about a new secret and about redirects that were added, not about others', async () => {
  const mails = interceptMails()
  const app: AppWithSecret = await registeredApp(bob, 'public', { name: 'Heron' })
  const edit = (json: object) => bob.fetch(`/v1/apps/${app.id}`, { method: 'PATCH', json })
  await bob.fetch(`/v1/apps/${app.id}/secret`, { method: 'POST' })
  await edit({ redirectUris: [...app.redirectUris, 'https://heron.example/cb'] })
  await edit({ redirectUris: app.redirectUris, description: 'About herons' })
  await delivered()
  const texts = mails.mailsTo(`${bob.handle}@example.com`).filter(({ text }) => text.includes('Heron'))
  expect(texts.map(({ subject }) => subject).sort()).toEqual([
    'Your app has a new redirect address',
    'Your app has a new secret',
  ])
  expect(texts.map(({ text }) => text).join()).toContain('“Heron” by @')
  expect(texts.map(({ text }) => text).join()).toContain('https://heron.example/cb')
})
