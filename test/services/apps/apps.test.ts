import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { declaredScopes } from '../../../src/platform/security/scopes.ts'
import { moderate } from '../../../src/services/accounts/policy.ts'
import { analyze } from '../../../src/services/analytics/policy.ts'
import { bundles, offeredScopes } from '../../../src/services/apps/bundles.ts'
import { manageApps } from '../../../src/services/apps/policy.ts'
import type { AllowedApps, App, AppWithSecret } from '../../../src/services/apps/views.ts'
import { readAudit } from '../../../src/services/audit/policy.ts'
import { readMessages, writeMessages } from '../../../src/services/messaging/policy.ts'
import { exportData } from '../../../src/services/privacy/policy.ts'
import { manageWebhooks } from '../../../src/services/webhooks/policy.ts'
import { type RegisteredUser, registeredUser, setRole } from '../../support/actors.ts'
import { directoryNumber, statusWith } from '../../support/auth.ts'
import { fetchWith, postJson } from '../../support/client.ts'
import {
  allow,
  codeFor,
  connect,
  decide,
  errorOf,
  exchange,
  REDIRECT,
  refreshAs,
  registeredApp,
  requestOf,
} from '../../support/oauth.ts'
import { drained } from '../../support/outboxes.ts'

let ada: RegisteredUser
let bob: RegisteredUser

beforeAll(async () => {
  ada = await registeredUser()
  bob = await registeredUser()
})

const allowedBy = async (user: RegisteredUser) => (await (await user.fetch('/v1/me/apps')).json<AllowedApps>()).items
const mailsTo = (user: RegisteredUser) =>
  directoryNumber("select count(*) as n from mails where kind = 'app-allowed' and account_id = ?", Number(user.id))

/** Scopes of staff, and of what only the owner of an account does. */
const withheld = [analyze, moderate, exportData, readAudit, manageApps, readMessages, writeMessages, manageWebhooks]

test('every scope is in exactly one bundle, or withheld from apps; staff scopes are withheld', () => {
  const protocol = ['openid', 'offline_access', 'realtime']
  const placed = [...bundles.flatMap(({ scopes }) => scopes), ...withheld]
  expect([...placed, 'realtime'].sort()).toEqual([...declaredScopes().keys()].sort())
  expect(new Set(placed).size).toBe(placed.length)
  expect([...offeredScopes].sort()).toEqual([...bundles.flatMap(({ scopes }) => scopes), ...protocol].sort())
  for (const scope of ['moderation', 'privacy', 'audit:read', 'apps']) expect(offeredScopes).not.toContain(scope)
})

test('a developer registers, reads, edits and deletes apps; a secret is shown once and stored as a hash', async () => {
  const made = await registeredApp(bob, 'confidential')
  expect(made.secret).toMatch(/^scs_[\w-]{43}$/)
  const { secret: _, ...shown } = made
  const own = async () => (await (await bob.fetch('/v1/apps')).json<{ items: App[] }>()).items
  expect((await own())[0]).toEqual(shown)
  const stored = await env.DIRECTORY.prepare('select * from apps where id = ?').bind(Number(made.id)).first()
  expect(JSON.stringify(stored)).not.toContain(made.secret)
  const edited = await bob.fetch(`/v1/apps/${made.id}`, { method: 'PATCH', json: { website: '', name: 'Nest' } })
  expect(await edited.json()).toEqual({ ...shown, website: null, name: 'Nest' })
  const renewed = await (await postJson(`/v1/apps/${made.id}/secret`, undefined, bob)).json<AppWithSecret>()
  expect(renewed.secret).not.toBe(made.secret)
  expect(await errorOf(await exchange(made, 'x'))).toEqual([401, 'invalid_client'])
  expect(await errorOf(await exchange(renewed, 'x'))).toEqual([400, 'invalid_grant'])
  expect((await bob.fetch(`/v1/apps/${made.id}`, { method: 'DELETE' })).status).toBe(204)
  expect((await own()).map(({ id }) => id)).not.toContain(made.id)
  expect(await errorOf(await exchange(renewed, 'x'))).toEqual([401, 'invalid_client'])
})

test('an account has at most 25 apps', async () => {
  const eve = await registeredUser()
  const insert = 'insert into apps (owner_id, name, description, redirect_uris, created_at) values (?, ?, ?, ?, 0)'
  for (let i = 0; i < 24; i++) await env.DIRECTORY.prepare(insert).bind(Number(eve.id), 'A', '', '[]').run()
  const answers = await Promise.all(
    [1, 2].map(() => postJson('/v1/apps', { name: 'A', redirectUris: [REDIRECT], kind: 'public' }, eve)),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409])
  const clients =
    'select count(*) as n from apps left join oauth_clients on client_id = apps.id where owner_id = ? and client_id is not null'
  expect(await directoryNumber(clients, Number(eve.id))).toBe(1)
})

test('a person sees what an app may do and when it was used, gets one mail for it, and removes it at once', async () => {
  const app = await registeredApp(bob, 'public', { name: 'Kite' })
  expect(await mailsTo(ada)).toBe(0)
  const tokens = await connect(ada, app, 'accounts:read posts:read offline_access')
  await connect(ada, app, 'accounts:read')
  expect(
    await directoryNumber(
      'select count(*) as n from mails where account_id = ? and detail = ?',
      Number(ada.id),
      'Kite',
    ),
  ).toBeLessThanOrEqual(1)
  const [shown] = await allowedBy(ada)
  expect(shown).toMatchObject({ id: app.id, name: 'Kite', developer: bob.handle, lastUsedAt: expect.any(String) })
  expect(shown?.permissions.map(({ title }) => title)).toEqual([
    'Read posts and profiles as you',
    'Stay connected until you remove it',
  ])
  const sessions = await (await ada.fetch('/v1/me/sessions')).json<{ items: unknown[] }>()
  expect(sessions.items).toHaveLength(1)
  const open = await codeFor(ada, app)
  expect((await ada.fetch(`/v1/me/apps/${app.id}`, { method: 'DELETE' })).status).toBe(204)
  expect(await statusWith(tokens.access_token)).toBe(401)
  expect(await errorOf(await refreshAs(app, tokens.refresh_token))).toEqual([400, 'invalid_grant'])
  expect(await errorOf(await exchange(app, open))).toEqual([400, 'invalid_grant'])
  expect(await allowedBy(ada)).toEqual([])
  expect((await ada.fetch(`/v1/me/apps/${app.id}`, { method: 'DELETE' })).status).toBe(404)
})

test('deleting an app, or the account of its developer, ends the tokens of everyone', async () => {
  const dan = await registeredUser()
  const [deleted, orphaned] = [await registeredApp(bob), await registeredApp(dan)]
  const [first, second] = [await connect(ada, deleted), await connect(ada, orphaned)]
  await bob.fetch(`/v1/apps/${deleted.id}`, { method: 'DELETE' })
  await drained()
  expect(await statusWith(first.access_token)).toBe(401)
  expect(await directoryNumber('select count(*) as n from sessions where app_id = ?', Number(deleted.id))).toBe(0)
  expect(await directoryNumber('select count(*) as n from app_grants where app_id = ?', Number(deleted.id))).toBe(0)
  expect((await dan.fetch('/v1/me', { method: 'DELETE' })).status).toBe(202)
  expect(await errorOf(await refreshAs(orphaned, second.refresh_token))).toEqual([401, 'invalid_client'])
})

test('what was allowed before is allowed again without asking, but nothing more, and not to a program on the device', async () => {
  const web = await registeredApp(bob)
  const native = await registeredApp(bob, 'public', { redirectUris: ['http://127.0.0.1/cb'] })
  const read = async (request: string) =>
    (await ada.fetch(`/v1/oauth/authorizations?request=${encodeURIComponent(request)}`)).json<{
      next: string
      returnTo: string
    }>()
  const request = requestOf(web)
  expect(await read(request)).toMatchObject({ next: 'ask' })
  expect(await errorOf(await decide(ada, request, '/repeat'))).toEqual([409, 'consent_required'])
  await allow(ada, request)
  expect(await read(request)).toMatchObject({ next: 'repeat' })
  expect((await decide(ada, request, '/repeat')).status).toBe(200)
  expect(await read(requestOf(web, { prompt: 'consent' }))).toMatchObject({ next: 'ask' })
  const more = requestOf(web, { scope: 'posts:read posts:write' })
  expect(await errorOf(await decide(ada, more, '/repeat'))).toEqual([409, 'consent_required'])
  expect((await read(requestOf(web, { scope: 'posts:write', prompt: 'none' }))).returnTo).toContain(
    'error=consent_required',
  )
  const local = requestOf(native, { redirect_uri: 'http://127.0.0.1:5000/cb' })
  await allow(ada, local)
  expect(await read(local)).toMatchObject({ next: 'ask' })
  expect(await errorOf(await decide(ada, local, '/repeat'))).toEqual([409, 'consent_required'])
})

test('prompt=none without a login, and max_age after an older login, say that a login is required', async () => {
  const app = await registeredApp(bob)
  const query = (changes: object) =>
    `/v1/oauth/authorizations?request=${encodeURIComponent(requestOf(app, { ...changes }))}`
  const anonymous = await fetchWith(env, query({ prompt: 'none' }))
  expect(await anonymous.json()).toMatchObject({
    next: 'refuse',
    returnTo: expect.stringContaining('error=login_required'),
  })
  const unknown = await ada.fetch(query({ prompt: 'none' }))
  expect(await unknown.json()).toMatchObject({ next: 'refuse', returnTo: expect.stringContaining('consent_required') })
  await allow(ada, requestOf(app))
  const old = await ada.fetch(query({ prompt: 'none', max_age: '0' }))
  expect(await old.json()).toMatchObject({ next: 'return', returnTo: expect.stringContaining('error=login_required') })
  expect(await errorOf(await decide(ada, requestOf(app, { max_age: '0' })))).toEqual([403, 'fresh_login_required'])
})

test('a login that has ended allows nothing, though the guard has not noticed yet', async () => {
  const eve = await registeredUser()
  const app = await registeredApp(bob)
  await allow(eve, requestOf(app))
  const codes = () => directoryNumber('select count(*) as n from app_codes where account_id = ?', Number(eve.id))
  const before = await codes()
  await env.DIRECTORY.prepare('delete from sessions where user_id = ? and app_id is null').bind(Number(eve.id)).run()
  expect(await errorOf(await decide(eve, requestOf(app), '/repeat'))).toEqual([401, 'unauthorized'])
  expect((await decide(eve, requestOf(app))).ok).toBe(false)
  expect(await codes()).toBe(before)
})

test('a code is void once the person has removed the app, even if the removal comes while it is exchanged', async () => {
  const app = await registeredApp(bob)
  const code = await codeFor(ada, app)
  await env.DIRECTORY.prepare('delete from app_grants where app_id = ?').bind(Number(app.id)).run()
  expect(await errorOf(await exchange(app, code))).toEqual([400, 'invalid_grant'])
  expect(await directoryNumber('select count(*) as n from sessions where app_id = ?', Number(app.id))).toBe(0)
})

test('the apps of a suspended developer get no tokens, and the tokens that they have end', async () => {
  const [admin, dan] = [await registeredUser(), await registeredUser()]
  await setRole(admin, 'admin')
  const app = await registeredApp(dan)
  const tokens = await connect(ada, app)
  expect((await admin.fetch(`/v1/accounts/${dan.id}/suspension`, { method: 'PUT' })).ok).toBe(true)
  await drained()
  expect(await statusWith(tokens.access_token)).toBe(401)
  expect(await errorOf(await refreshAs(app, tokens.refresh_token))).toEqual([401, 'invalid_client'])
  expect(await errorOf(await decide(ada, requestOf(app)))).toEqual([400, 'invalid_app_request'])
  expect((await admin.fetch(`/v1/accounts/${dan.id}/suspension`, { method: 'DELETE' })).ok).toBe(true)
  await drained()
  expect((await connect(ada, app)).access_token).toBeTruthy()
})

test('what happens to apps is recorded for the audit log', async () => {
  const eve = await registeredUser()
  const app = await registeredApp(eve)
  await allow(eve, requestOf(app))
  await drained()
  const entries = await (await eve.fetch('/v1/me/audit')).json<{ items: { action: string; detail: object }[] }>()
  const own = entries.items.filter(({ action }) => action.startsWith('app-'))
  expect(own).toMatchObject([
    { action: 'app-allowed', detail: { appId: app.id } },
    { action: 'app-registered', detail: { appId: app.id } },
  ])
})
