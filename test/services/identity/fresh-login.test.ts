import { env } from 'cloudflare:workers'
import { beforeAll, expect, test } from 'vitest'
import { readLoginTime } from '../../../src/services/identity/queries.ts'
import { PASSWORD, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { postJson } from '../../support/client.ts'
import { contextWith } from '../../support/platform.ts'

const HOUR_MS = 3_600_000
let ada: RegisteredUser
let login: { id: string; sessionId: string }

beforeAll(async () => {
  ada = await registeredUser()
  const row = await env.DIRECTORY.prepare('SELECT id FROM sessions WHERE user_id = ?').bind(Number(ada.id)).first('id')
  login = { id: ada.id, sessionId: String(row) }
  await env.DIRECTORY.prepare('UPDATE sessions SET created_at = ? WHERE id = ?')
    .bind(Date.now() - HOUR_MS, row)
    .run()
})

const loginTime = () => readLoginTime({ ...contextWith(), viewer: null }, { ...login, id: ada.id })
const confirm = (password: string) => postJson('/v1/auth/confirm', { password }, ada)

test('the right password makes a login fresh again, a wrong one does not', async () => {
  expect((await confirm(`${PASSWORD}!`)).status).toBe(401)
  expect(await loginTime()).toBeLessThan(Date.now() - HOUR_MS / 2)
  expect((await confirm(PASSWORD)).status).toBe(204)
  expect(await loginTime()).toBeGreaterThan(Date.now() - HOUR_MS / 2)
})

test('a login that has ended, or belongs to another account, was never fresh', async () => {
  const other = await registeredUser()
  expect(await readLoginTime({ ...contextWith(), viewer: null }, { ...login, id: other.id })).toBe(0)
  await env.DIRECTORY.prepare('DELETE FROM sessions WHERE id = ?').bind(login.sessionId).run()
  expect(await loginTime()).toBe(0)
})
