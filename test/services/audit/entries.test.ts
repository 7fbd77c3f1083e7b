import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { type Id, toId } from '../../../src/platform/data/ids.ts'
import type { Page } from '../../../src/platform/data/page.ts'
import { destroyKeys } from '../../../src/platform/security/account-keys.ts'
import { auditedEvents } from '../../../src/services/audit/audited-events.ts'
import { detailOf } from '../../../src/services/audit/details.ts'
import { auditData } from '../../../src/services/audit/personal.ts'
import type { AuditEntry } from '../../../src/services/audit/views.ts'
import { logIn } from '../../../src/services/identity/login.ts'
import { requestMail } from '../../../src/services/identity/mail-requests.ts'
import { type RegisteredUser, registeredUser, setRole } from '../../support/actors.ts'
import { auditOf } from '../../support/audit.ts'
import { loggedIn } from '../../support/auth.ts'
import { drained } from '../../support/outboxes.ts'
import { contextWith } from '../../support/platform.ts'

const DEVICE = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
const act = (by: RegisteredUser, method: string, path: string, json?: object) =>
  by.fetch(path, { method, json, headers: { 'user-agent': DEVICE } })

async function read(by: RegisteredUser, path: string): Promise<AuditEntry[]> {
  await drained()
  const response = await act(by, 'GET', path)
  expect(response.status).toBe(200)
  return (await response.json<Page<AuditEntry>>()).items
}

test('people see what happened to their account and from where, but not who of the staff acted', async () => {
  const [amy, admin, chief] = await Promise.all(['amy', 'mod', 'ben'].map((name) => registeredUser(`${name}_audit`)))
  await setRole(admin!, 'admin')
  await setRole(chief!, 'admin')
  await act(admin!, 'PUT', `/v1/accounts/${amy!.id}/suspension`)
  await act(admin!, 'DELETE', `/v1/accounts/${amy!.id}/suspension`)
  await act(admin!, 'GET', `/v1/audit?accountId=${amy!.id}`)
  await act(admin!, 'POST', '/v1/auth/logout-all')

  const all = await read(chief!, `/v1/audit?actorId=${admin!.id}&limit=4`)
  expect(all.map(({ action, accountId, actorId }) => [action, accountId, actorId])).toEqual([
    ['all-sessions-ended', admin!.id, admin!.id],
    ['audit-read', amy!.id, admin!.id],
    ['suspension-lifted', amy!.id, admin!.id],
    ['account-suspended', amy!.id, admin!.id],
  ])
  for (const { address, device } of all)
    expect([address, device]).toEqual([expect.stringMatching(/^[\d.]+$/), expect.stringContaining('Firefox')])
  const filtered = await read(chief!, `/v1/audit?accountId=${amy!.id}&action=account-suspended`)
  expect(filtered).toEqual([all[3]])

  amy!.token = (await loggedIn(amy!)).accessToken
  const own = await read(amy!, '/v1/me/audit')
  const byStaff = own.filter(({ action }) => ['account-suspended', 'suspension-lifted', 'audit-read'].includes(action))
  expect(byStaff.map(({ action }) => action)).toEqual([
    'audit-read',
    'audit-read',
    'suspension-lifted',
    'account-suspended',
  ])
  const hidden = { accountId: amy!.id, actorId: null, device: null, place: null, address: null }
  for (const entry of byStaff) expect(entry).toMatchObject(hidden)
  const byOwner = own.filter((entry) => !byStaff.includes(entry))
  expect(byOwner.slice(-2)).toMatchObject([
    { action: 'address-verified', accountId: amy!.id, actorId: amy!.id },
    { action: 'registered', accountId: amy!.id, actorId: amy!.id },
  ])
})

test('an entry of an account whose key was destroyed stays, without its client', async () => {
  const [dan, admin] = await Promise.all([registeredUser('dan_audit'), registeredUser('eva_audit')])
  await setRole(admin, 'admin')
  await act(dan, 'POST', '/v1/auth/logout')
  const path = `/v1/audit?accountId=${dan.id}&action=session-ended`
  expect(await read(admin, path)).toMatchObject([{ actorId: dan.id, address: expect.any(String) }])
  await destroyKeys(createContext({ env, waitUntil: () => {} }), [dan.id])
  expect(await read(admin, path)).toMatchObject([{ actorId: dan.id, address: null, device: null, place: null }])
})

test('an unknown action is refused, and only administrators read the log of others', async () => {
  const [fay, admin] = await Promise.all([registeredUser('fay_audit'), registeredUser('gil_audit')])
  expect((await act(fay, 'GET', '/v1/audit')).status).toBe(403)
  await setRole(fay, 'moderator')
  expect((await act(fay, 'GET', `/v1/audit?accountId=${fay.id}`)).status).toBe(403)
  await setRole(admin, 'admin')
  expect((await act(admin, 'GET', '/v1/audit?action=sneezed')).status).toBe(422)
})

test('an entry says what was done, and hides from the owner whose actions an administrator read', async () => {
  const [hedy, admin] = await Promise.all([registeredUser('hedy_audit'), registeredUser('ian_audit')])
  await setRole(admin, 'admin')
  for (const role of ['moderator', 'user']) await act(admin, 'PUT', `/v1/accounts/${hedy.id}/role`, { role })
  const path = `/v1/audit?accountId=${hedy.id}&actorId=${admin.id}`
  await act(admin, 'GET', `${path}&action=role-changed`)
  const seen = await read(admin, path)
  expect(seen.map(({ action, detail }) => [action, detail])).toEqual([
    ['audit-read', { readActorId: admin.id, readAction: 'role-changed' }],
    ['role-changed', { role: 'user' }],
    ['role-changed', { role: 'moderator' }],
  ])
  hedy.token = (await loggedIn(hedy)).accessToken
  await act(hedy, 'POST', '/v1/auth/logout')
  hedy.token = (await loggedIn(hedy)).accessToken
  const own = await read(hedy, '/v1/me/audit')
  expect(JSON.stringify(own)).not.toContain(admin.id)
  const [login, ended, former] = own
  expect(login).toMatchObject({ action: 'logged-in', detail: { sessionId: expect.any(String) } })
  expect(ended).toMatchObject({ action: 'session-ended', detail: { reason: 'logged_out', ...former!.detail } })
  expect(own.at(-1)).toMatchObject({ action: 'registered', detail: null })
})

test('of a stranger who mistyped a name, the owner sees device and place but no address, and the export nothing', async () => {
  const [joy, admin] = await Promise.all([registeredUser('joy_audit'), registeredUser('kim_audit')])
  await setRole(admin, 'admin')
  const client = { address: '198.51.100.77', userAgent: DEVICE, place: 'Lyon, FR' }
  const stranger = { ...contextWith(), viewer: null, client }
  const guess = { identifier: joy.handle, password: 'the password of another' }
  await expect(logIn(stranger, guess)).rejects.toMatchObject({ code: 'invalid_credentials' })
  await requestMail(stranger, 'reset-requested', joy.handle)
  const isNoted = async () => (await auditOf(joy.id)).some(({ action }) => action === 'password-reset-requested')
  await vi.waitUntil(isNoted, { timeout: 30_000, interval: 50 })
  for (const action of ['login-failed', 'password-reset-requested']) {
    const seen = { device: expect.stringContaining('Firefox'), place: 'Lyon, FR' }
    const [entry] = await read(admin, `/v1/audit?accountId=${joy.id}&action=${action}`)
    expect(entry).toMatchObject({ actorId: null, ...seen, address: '198.51.100.77' })
    const own = (await read(joy, '/v1/me/audit')).find((each) => each.action === action)
    expect(own).toMatchObject({ actorId: null, ...seen, address: null })
  }
  const rows = await exportedAudit(joy.id)
  const unknown = rows.filter(({ action }) => action === 'login-failed' || action === 'password-reset-requested')
  expect(unknown).toHaveLength(2)
  for (const row of unknown) expect(row).toMatchObject({ device: null, place: null, address: null })
  expect(rows.find(({ action }) => action === 'registered')).toMatchObject({ address: expect.any(String) })
})

async function exportedAudit(id: Id): Promise<AuditEntry[]> {
  let text = ''
  for await (const { body } of auditData.exported(contextWith(), id)) {
    for await (const part of body as AsyncIterable<string>) text += part
  }
  return JSON.parse(text)
}

test('an export of data names the export, an invitation the invitation, and the end of other logins these logins', () => {
  const ended = detailOf({ accountId: toId(7), ...{ sessionIds: ['a', 'b'], exportId: '8' } }, ['sessionIds'])
  expect(ended).toBe('{"sessionIds":"a,b"}')
  const details = new Map(auditedEvents.map(({ action, details }) => [action, details.join()]))
  const named = ['export-requested', 'export-ready', 'export-downloaded', 'invitation-created', 'other-sessions-ended']
  expect(named.map((action) => details.get(action))).toEqual([
    'exportId',
    'exportId',
    'exportId',
    'invitationId',
    'sessionIds',
  ])
})
