import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { registeredUser, setRole } from '../../support/actors.ts'
import { directoryNumber, outcomeOf } from '../../support/auth.ts'
import { count } from '../../support/databases.ts'
import { fingerprint } from '../../support/fingerprint.ts'
import { interceptMails } from '../../support/mails.ts'
import { accountIdOf, inMode } from '../../support/modes.ts'
import { delivered, drained } from '../../support/outboxes.ts'
import { resend } from '../../support/recovery.ts'

const { call, register, verify, logIn } = inMode('approval')
const { nthMailTo } = interceptMails()
const waiting = [403, 'awaiting_approval']

async function moderator() {
  const user = await registeredUser()
  await setRole(user, 'moderator')
  return user
}

async function newcomer(handle: string) {
  expect((await register(handle)).status).toBe(202)
  await nthMailTo(`${handle}@example.com`, 1)
  expect(await outcomeOf(await verify(handle))).toEqual(waiting)
  return accountIdOf(handle)
}

const accounts = (handle: string) => count(`select count(*) n from accounts where handle = '${handle}'`)

test('a verified account waits for a moderator, is then opened, and its person is mailed', async () => {
  const staff = await moderator()
  const id = await newcomer('app_ada')
  expect(await outcomeOf(await logIn('app_ada'))).toEqual(waiting)
  expect(await outcomeOf(await logIn('app_ada@example.com'))).toEqual(waiting)
  await drained()
  expect(await accounts('app_ada')).toBe(0)
  expect(await outcomeOf(await call('GET', '/v1/handles/app_ada'))).toEqual([404, 'not_found'])

  const list = await call('GET', '/v1/registrations?limit=50', { token: staff.token })
  const { items } = await list.json<{ items: { id: string; handle: string }[] }>()
  expect(items).toContainEqual({ id, handle: 'app_ada', registeredAt: expect.any(String) })
  for (let i = 0; i < 2; i++)
    expect((await call('PUT', `/v1/registrations/${id}/approval`, { token: staff.token })).status).toBe(204)
  expect(await accounts('app_ada')).toBe(1)
  expect((await logIn('app_ada')).status).toBe(200)
  expect((await nthMailTo('app_ada@example.com', 2)).subject).toBe('Your account was approved')
  await drained()
  const entries = await env.AUDIT.prepare('select action, actor_id from audit_entries where account_id = ? order by id')
    .bind(Number(id))
    .all()
  expect(entries.results).toContainEqual({ action: 'registration-approved', actor_id: Number(staff.id) })
})

test('a rejected registration cannot log in or verify again, and its person is mailed and may register again', async () => {
  const staff = await moderator()
  const id = await newcomer('app_bob')
  for (let i = 0; i < 2; i++)
    expect((await call('DELETE', `/v1/registrations/${id}`, { token: staff.token })).status).toBe(204)
  expect((await nthMailTo('app_bob@example.com', 2)).subject).toBe('Your registration was declined')
  expect(await outcomeOf(await logIn('app_bob'))).toEqual([401, 'invalid_credentials'])
  expect((await verify('app_bob')).status).toBe(422)
  expect((await call('PUT', `/v1/registrations/${id}/approval`, { token: staff.token })).status).toBe(404)
  expect(await accounts('app_bob')).toBe(0)
  expect((await register('app_bob', { email: 'other_bob@example.com' })).status).toBe(409)
  expect((await register('app_bob')).status).toBe(202)
})

test('requests to verify again do not keep a rejected registration, or any for more than a day', async () => {
  const staff = await moderator()
  const id = await newcomer('app_gus')
  expect((await call('DELETE', `/v1/registrations/${id}`, { token: staff.token })).status).toBe(204)
  expect((await register('app_hal')).status).toBe(202)
  const other = await accountIdOf('app_hal')
  await nthMailTo('app_hal@example.com', 1)
  await env.DIRECTORY.prepare('update users set created_at = created_at - 86400000 where id = ?')
    .bind(Number(other))
    .run()
  const reservedUntil = 'select reserved_until n from handles where account_id = ?'
  const ends = () => Promise.all([id, other].map((account) => directoryNumber(reservedUntil, Number(account))))
  const before = await ends()
  for (const name of ['app_gus', 'app_hal']) expect((await resend(`${name}@example.com`)).status).toBe(202)
  await delivered()
  expect(await ends()).toEqual(before)
})

test('of a concurrent approval and rejection, one takes effect', async () => {
  const staff = await moderator()
  const id = await newcomer('app_cleo')
  const { token } = staff
  await Promise.all([
    call('PUT', `/v1/registrations/${id}/approval`, { token }),
    call('DELETE', `/v1/registrations/${id}`, { token }),
  ])
  const isOpen = (await logIn('app_cleo')).status === 200
  expect(await accounts('app_cleo')).toBe(isOpen ? 1 : 0)
  const refused = "select count(*) n from users where id = ? and approval = 'refused'"
  expect(await directoryNumber(refused, Number(id))).toBe(isOpen ? 0 : 1)
})

test('people who are not staff cannot list, approve or reject registrations', async () => {
  const { token } = await registeredUser()
  const id = await newcomer('app_dan')
  await drained()
  const before = await fingerprint()
  for (const [method, path] of [
    ['GET', '/v1/registrations'],
    ['PUT', `/v1/registrations/${id}/approval`],
    ['DELETE', `/v1/registrations/${id}`],
  ] as const)
    expect(await outcomeOf(await call(method, path, { token }))).toEqual([403, 'forbidden'])
  expect(await fingerprint()).toEqual(before)
})

test('rejecting an account that waits for nobody changes nothing', async () => {
  const staff = await moderator()
  const user = await registeredUser('app_eve')
  expect((await call('DELETE', `/v1/registrations/${user.id}`, { token: staff.token })).status).toBe(204)
  expect((await logIn('app_eve')).status).toBe(200)
})

test('the terms must be accepted in their current version, which is stored with the time', async () => {
  const terms = inMode('open', { TERMS_VERSION: '2', TERMS_URL: 'https://example.org/terms' })
  for (const termsVersion of [undefined, '1', '']) {
    const response = await terms.register('app_fay', { termsVersion })
    expect([response.status, await response.json()]).toMatchObject([422, { errors: [{ field: 'termsVersion' }] }])
  }
  const before = Date.now()
  expect((await terms.register('app_fay', { termsVersion: '2' })).status).toBe(202)
  const stored = "select terms_accepted_at n from users where id = ? and terms_version = '2'"
  expect(await directoryNumber(stored, Number(await accountIdOf('app_fay')))).toBeGreaterThanOrEqual(before)
  expect((await terms.verify('app_fay')).status).toBe(200)
  // A newer version locks nobody out.
  expect((await inMode('open', { TERMS_VERSION: '3' }).logIn('app_fay')).status).toBe(200)
})
