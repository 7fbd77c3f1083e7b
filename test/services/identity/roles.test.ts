import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { startSession } from '../../../src/services/identity/start-session.ts'
import { type RegisteredUser, refresh, registeredUser, setRole } from '../../support/actors.ts'
import { claimsOf, directoryNumber, register, statusWith } from '../../support/auth.ts'
import { anonymousClient, type Client } from '../../support/client.ts'
import { LEASE_MS, movableClock } from '../../support/clock.ts'

const clock = movableClock()

const changeRole = (by: Client, id: string, role: string) =>
  by.fetch(`/v1/accounts/${id}/role`, { method: 'PUT', json: { role } })

test('a role change revokes the old tokens within 2 seconds, and refreshed tokens have the new role', async () => {
  const [admin, hal] = await Promise.all([registeredUser('gus_role'), registeredUser('hal_role')])
  await setRole(admin, 'admin')
  const response = await changeRole(admin, hal.id, 'moderator')
  expect(response.status).toBe(200)
  expect(await response.json()).toEqual({ accountId: hal.id, role: 'moderator' })
  clock.advance(LEASE_MS)
  expect(await statusWith(hal.token)).toBe(401)
  await refresh(hal)
  expect(claimsOf(hal.token).role).toBe('moderator')
  expect(await statusWith(hal.token)).toBe(200)
  expect((await changeRole(hal, hal.id, 'admin')).status).toBe(403)
})

test('a login that read the user before a concurrent role change fails and returns no tokens', async () => {
  const ira = await registeredUser('ira_race')
  await env.DIRECTORY.prepare('update users set tokens_void_before = 1 where id = ?').bind(Number(ira.id)).run()
  const stale = { id: ira.id, handle: ira.handle, role: 'admin' as const, tokensVoidBefore: 0 }
  const ctx = { ...createContext({ env, waitUntil: () => {} }), viewer: null }
  await expect(startSession(ctx, stale)).rejects.toMatchObject({ code: 'invalid_credentials' })
  const tokens = await startSession(ctx, { ...stale, tokensVoidBefore: 1 })
  expect(tokens.account.id).toBe(ira.id)
})

test('changing a role needs an admin, another account that exists and is verified, and a known role', async () => {
  const [admin, ida] = await Promise.all([registeredUser('gil_role'), registeredUser('ida_role')])
  await setRole(admin, 'admin')
  await register('unverified')
  const unverified = await directoryNumber("select account_id n from handles where handle = 'unverified'")
  const attempts: [by: Client, id: string, role: string, status: number][] = [
    [anonymousClient(), ida.id, 'admin', 401],
    [ida, ida.id, 'admin', 403],
    [ida, admin.id, 'user', 403],
    [admin, admin.id, 'user', 422],
    [admin, '1', 'admin', 404],
    [admin, String(unverified), 'admin', 404],
    [admin, ida.id, 'emperor', 422],
  ]
  for (const [by, id, role, status] of attempts) expect((await changeRole(by, id, role)).status).toBe(status)
})

test('when two admins demote each other concurrently, exactly one demotion succeeds', async () => {
  await env.DIRECTORY.prepare("update users set role = 'user'").run()
  const [jo, kay] = await Promise.all([registeredUser('jo_role'), registeredUser('kay_role')])
  await setRole(jo, 'admin')
  await setRole(kay, 'admin')
  const demote = async (by: RegisteredUser, { id }: RegisteredUser) => (await changeRole(by, id, 'user')).status
  expect((await Promise.all([demote(jo, kay), demote(kay, jo)])).sort()).toEqual([200, 403])
  expect(await directoryNumber("select count(*) n from users where role = 'admin'")).toBe(1)
})
