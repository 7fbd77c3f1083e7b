import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { deleteLapsed } from '../../../src/services/identity/jobs.ts'
import { mailedToken, PASSWORD, type RegisteredUser, registeredUser } from '../../support/actors.ts'
import { directoryNumber, directoryRow, outcomeOf } from '../../support/auth.ts'
import { movableClock } from '../../support/clock.ts'
import { inMode } from '../../support/modes.ts'
import { drained } from '../../support/outboxes.ts'
import { until } from '../../support/until.ts'

const { call, register, verify } = inMode('invitation')
const clock = movableClock()
const HOUR_MS = 3_600_000

type Invitation = { id: string; code: string; isUsed: boolean }

async function invite({ token }: RegisteredUser): Promise<Invitation> {
  const response = await call('POST', '/v1/invitations', { token })
  expect(response.status).toBe(201)
  return response.json()
}

async function listed({ token }: RegisteredUser): Promise<Invitation[]> {
  return (await (await call('GET', '/v1/me/invitations', { token })).json<{ items: Invitation[] }>()).items
}

const refused = async (response: Response) => [response.status, await response.json()]
const wrong = [422, expect.objectContaining({ errors: [expect.objectContaining({ field: 'invitation' })] })]

test('an invitation registers one account, and its inviter sees that it is used', async () => {
  const ada = await registeredUser()
  const { id, code } = await invite(ada)
  expect((await register('inv_bob', { invitation: ` ${code.toUpperCase()} ` })).status).toBe(202)
  expect(await listed(ada)).toMatchObject([{ id, isUsed: false }])
  expect((await verify('inv_bob')).status).toBe(200)
  expect(await listed(ada)).toMatchObject([{ id, isUsed: true }])
  expect(await refused(await register('inv_cleo', { invitation: code }))).toEqual(wrong)
})

test('without a valid invitation nobody registers, and nothing changes', async () => {
  const ada = await registeredUser()
  const { code } = await invite(ada)
  await drained()
  for (const invitation of [undefined, '', 'made up', code.slice(1)])
    expect(await refused(await register('inv_dan', { invitation }))).toEqual(wrong)
  expect(await directoryNumber("select count(*) n from handles where handle = 'inv_dan'")).toBe(0)
  clock.advance(7 * 24 * HOUR_MS + 1_000)
  expect(await refused(await register('inv_dan', { invitation: code }))).toEqual(wrong)
})

test('one of ten concurrent registrations with an invitation succeeds', async () => {
  const { code } = await invite(await registeredUser())
  const responses = await Promise.all(
    Array.from({ length: 10 }, (_, i) => register(`inv_race_${i}`, { invitation: code })),
  )
  expect(responses.map(({ status }) => status).sort()).toEqual([202, ...Array(9).fill(422)])
  expect(await directoryNumber("select count(*) n from handles where handle glob 'inv_race_*'")).toBe(1)
})

test('a registration that fails or lapses does not use up its invitation', async () => {
  const { code } = await invite(await registeredUser('inv_eve'))
  expect(await outcomeOf(await register('inv_eve', { email: 'x1@example.com', invitation: code }))).toEqual([
    409,
    'handle_taken',
  ])
  expect((await register('inv_fay', { invitation: code })).status).toBe(202)
  // The same address again, with another handle: the earlier registration is replaced.
  expect((await register('inv_fae', { email: 'inv_fay@example.com', invitation: code })).status).toBe(202)
  expect((await register('inv_gus', { invitation: code })).status).toBe(422)
  await until(() => directoryRow("select 1 from handles where handle = 'inv_fae' and mailed_at > 0"))
  clock.advance(HOUR_MS + 30_000)
  expect((await register('inv_gus', { invitation: code })).status).toBe(202)
  expect((await verify('inv_gus')).status).toBe(200)
})

test('of two registrations with one invitation, the one that holds it opens an account', async () => {
  const ada = await registeredUser()
  const { code } = await invite(ada)
  expect((await register('inv_old', { invitation: code })).status).toBe(202)
  const late = await mailedToken('inv_old')
  // As if the reservation had lapsed because its mail was late.
  await env.DIRECTORY.prepare("update handles set reserved_until = 1 where handle = 'inv_old'").run()
  expect((await register('inv_new', { invitation: code })).status).toBe(202)
  const responses = await Promise.all([
    call('POST', '/v1/auth/verify', { json: { token: late, password: PASSWORD } }),
    verify('inv_new'),
  ])
  expect(responses.map(({ status }) => status)).toEqual([422, 200])
  expect(await responses[0]!.json()).toMatchObject({ errors: [{ field: 'token' }] })
  expect(await directoryNumber("select count(*) n from handles where handle = 'inv_old' and reserved_until = 1")).toBe(
    1,
  )
  expect(await listed(ada)).toMatchObject([{ isUsed: true }])
})

test('a person has at most five open invitations, also with concurrent requests, and can revoke them', async () => {
  const ada = await registeredUser()
  const statuses = (
    await Promise.all(Array.from({ length: 8 }, () => call('POST', '/v1/invitations', { token: ada.token })))
  ).map(({ status }) => status)
  expect(statuses.sort()).toEqual([...Array(5).fill(201), ...Array(3).fill(409)])
  const [first] = await listed(ada)
  const path = `/v1/me/invitations/${first!.id}`
  expect((await call('DELETE', path, { token: (await registeredUser()).token })).status).toBe(204)
  expect(await listed(ada)).toHaveLength(5)
  expect((await call('DELETE', path, { token: ada.token })).status).toBe(204)
  expect((await call('DELETE', path, { token: ada.token })).status).toBe(204)
  expect(await listed(ada)).toHaveLength(4)
  const { code } = await invite(ada)
  expect((await call('POST', '/v1/invitations', { token: ada.token })).status).toBe(409)
  await call('DELETE', `/v1/me/invitations/${(await listed(ada))[0]!.id}`, { token: ada.token })
  expect(await refused(await register('inv_hal', { invitation: code }))).toEqual(wrong)
})

test('codes are stored hashed, and expired invitations are deleted', async () => {
  const ada = await registeredUser()
  const { code } = await invite(ada)
  const { results } = await env.DIRECTORY.prepare('select * from invitations').all()
  expect(JSON.stringify(results)).not.toContain(code)
  clock.advance(8 * 24 * HOUR_MS + 1_000)
  await deleteLapsed(createContext({ env, waitUntil: () => {} }))
  expect(await directoryNumber('select count(*) n from invitations')).toBe(0)
})

test('where registration needs no invitation, none can be created, and a code is ignored', async () => {
  const { token } = await registeredUser()
  const open = inMode('open')
  expect(await outcomeOf(await open.call('POST', '/v1/invitations', { token }))).toEqual([403, 'forbidden'])
  expect((await open.register('inv_ivy', { invitation: 'made up' })).status).toBe(202)
  const json = { token: await mailedToken('inv_ivy'), password: PASSWORD }
  expect((await open.call('POST', '/v1/auth/verify', { json })).status).toBe(200)
})
