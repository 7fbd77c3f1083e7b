import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import type { Page } from '../../../src/platform/data/page.ts'
import { destroyKeys } from '../../../src/platform/security/account-keys.ts'
import type { AuditEntry } from '../../../src/services/audit/views.ts'
import { type RegisteredUser, registeredUser, setRole } from '../../support/actors.ts'
import { loggedIn } from '../../support/auth.ts'
import { drained } from '../../support/outboxes.ts'

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
