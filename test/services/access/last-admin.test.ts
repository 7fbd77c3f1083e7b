import { env } from 'cloudflare:workers'
import { beforeEach, expect, test } from 'vitest'
import { type RegisteredUser, registeredUser, setRole } from '../../support/actors.ts'
import { directoryNumber, outcomeOf } from '../../support/auth.ts'
import { count } from '../../support/databases.ts'
import { drained } from '../../support/outboxes.ts'

let jo: RegisteredUser
let kay: RegisteredUser

beforeEach(async () => {
  await drained()
  await env.DIRECTORY.prepare("UPDATE users SET role = 'user'").run()
  ;[jo, kay] = await Promise.all([registeredUser(), registeredUser()])
  await setRole(jo, 'admin')
})

const leave = async (user: RegisteredUser) => (await user.fetch('/v1/me', { method: 'DELETE' })).status
const demote = async (by: RegisteredUser, { id }: RegisteredUser) =>
  (await by.fetch(`/v1/accounts/${id}/role`, { method: 'PUT', json: { role: 'user' } })).status
const promote = (by: RegisteredUser, { id }: RegisteredUser) =>
  by.fetch(`/v1/accounts/${id}/role`, { method: 'PUT', json: { role: 'admin' } })
const suspend = async (by: RegisteredUser, { id }: RegisteredUser) =>
  (await by.fetch(`/v1/accounts/${id}/suspension`, { method: 'PUT' })).status
const left = () =>
  directoryNumber(
    `select count(*) n from users where role = 'admin' and not suspended
       and id not in (select account_id from deletions)`,
  )

test('the last admin cannot delete the account, until somebody else is admin too', async () => {
  const refused = await jo.fetch('/v1/me', { method: 'DELETE' })
  expect(await outcomeOf(refused)).toEqual([409, 'conflict'])
  expect(await directoryNumber('select count(*) n from deletions where account_id = ?', Number(jo.id))).toBe(0)
  expect((await jo.fetch('/v1/accounts/me')).status).toBe(200)
  expect((await promote(jo, kay)).status).toBe(200)
  expect(await leave(jo)).toBe(202)
  expect(await left()).toBe(1)
})

test('when the two last admins delete their accounts at the same time, one of them stays', async () => {
  await setRole(kay, 'admin')
  expect((await Promise.all([leave(jo), leave(kay)])).sort()).toEqual([202, 409])
  expect(await left()).toBe(1)
})

test('when an admin demotes the only other one and leaves at the same time, one admin stays', async () => {
  await setRole(kay, 'admin')
  const outcome = await Promise.all([demote(jo, kay), leave(jo)])
  expect([
    [200, 409],
    [403, 202],
    [401, 202],
  ]).toContainEqual(outcome)
  expect(await left()).toBe(1)
})

test('an admin who is leaving does not count as one', async () => {
  await setRole(kay, 'admin')
  expect(await leave(kay)).toBe(202)
  expect(await leave(jo)).toBe(409)
})

test('an admin who cannot log in does not count as one, and only who can log in becomes one', async () => {
  await setRole(kay, 'admin')
  for (const change of ['email_verified = 0', "email_verified = 1, approval = 'required'"]) {
    await env.DIRECTORY.prepare(`UPDATE users SET ${change} WHERE id = ?`).bind(Number(kay.id)).run()
    expect(await leave(jo)).toBe(409)
    expect(await outcomeOf(await promote(jo, kay))).toEqual([404, 'not_found'])
  }
})

test('a suspension that a late copy let cross a promotion is lifted again', async () => {
  const lea = await registeredUser()
  await env.DIRECTORY.prepare(
    `CREATE TRIGGER promote AFTER UPDATE OF suspended ON users WHEN new.id = ${Number(lea.id)} AND new.suspended = 1
     BEGIN UPDATE users SET role = 'admin' WHERE id = new.id; END`,
  ).run()
  expect(await suspend(jo, lea)).toBe(403)
  await env.DIRECTORY.prepare('DROP TRIGGER promote').run()
  expect(await directoryNumber('select suspended n from users where id = ?', Number(lea.id))).toBe(0)
  expect(await count(`select count(*) n from accounts where id = ${lea.id} and suspended_at is not null`)).toBe(0)
})

test('no admin can be suspended, also not while becoming one, and a suspended account cannot become admin', async () => {
  await setRole(kay, 'moderator')
  expect(await suspend(kay, jo)).toBe(403)
  await setRole(kay, 'admin')
  expect(await suspend(jo, kay)).toBe(403)
  const lea = await registeredUser()
  const [suspended, promoted] = await Promise.all([suspend(jo, lea), promote(jo, lea)])
  expect([
    [204, 409],
    [403, 200],
  ]).toContainEqual([suspended, promoted.status])
  const max = await registeredUser()
  expect(await suspend(jo, max)).toBe(204)
  expect(await outcomeOf(await promote(jo, max))).toEqual([409, 'conflict'])
  await jo.fetch(`/v1/accounts/${max.id}/suspension`, { method: 'DELETE' })
  expect((await promote(jo, max)).status).toBe(200)
})
