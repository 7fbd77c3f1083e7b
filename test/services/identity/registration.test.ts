import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { toId } from '../../../src/platform/data/ids.ts'
import { deleteLapsed } from '../../../src/services/identity/jobs.ts'
import { mailRegistration } from '../../../src/services/identity/registration-mail.ts'
import type { Tokens } from '../../../src/services/identity/views.ts'
import { mailedToken, PASSWORD, registeredUser } from '../../support/actors.ts'
import { directoryNumber, loggedIn, logIn, readMe, register, verify } from '../../support/auth.ts'
import { anonymousClient, postJson } from '../../support/client.ts'
import { movableClock } from '../../support/clock.ts'
import { shardHolding } from '../../support/databases.ts'
import { interceptMails, tokenIn } from '../../support/mails.ts'
import { drained } from '../../support/outboxes.ts'
import { until } from '../../support/until.ts'

const { send, nthMailTo, mailsTo } = interceptMails()
const clock = movableClock()
const HOUR_MS = 3_600_000

/** All that a client can observe of a response, without the values that differ in every response. */
async function observe(response: Response): Promise<unknown> {
  const variable = ['x-request-id', 'ratelimit', 'x-bookmarks', 'x-cost']
  const headers = [...response.headers].filter(([name]) => !variable.includes(name))
  const databases = response.headers.get('x-bookmarks')?.replace(/=[^;]+/g, '')
  const { trips, objectCalls, queueMessages } = JSON.parse(response.headers.get('x-cost')!)
  const cost = { trips, objectCalls, queueMessages }
  const body = (await response.text()).replace(/[\w-]{43}/, 'SIGNATURE')
  return { status: response.status, headers, databases, body, cost }
}

const statusesOf = async (responses: Promise<Response>[]) => (await Promise.all(responses)).map(({ status }) => status)

test('registering and then verifying the email address opens an account and returns valid tokens', async () => {
  const response = await register('Ada', { email: ' Ada@Example.com ' })
  expect(response.status).toBe(202)
  expect(await response.json()).toEqual({
    status: 'verification_sent',
    registrationToken: expect.stringMatching(/^[\w-]{43}$/),
  })

  const verified = await verify(tokenIn(await nthMailTo('ada@example.com', 1)))
  expect(verified.status).toBe(200)
  const tokens = await verified.json<Tokens>()
  expect(tokens).toMatchObject({ tokenType: 'Bearer', expiresIn: 3600, account: { handle: 'ada' } })

  const { id } = tokens.account
  const row = shardHolding(id).prepare('select handle from accounts where id = ?').bind(Number(id)).first()
  expect(await row).toEqual({ handle: 'ada' })
  expect(await (await readMe(tokens.accessToken)).json()).toMatchObject({ id, handle: 'ada' })
})

test('registering a known email address gets the same response and cost as a new one and mails its owner', async () => {
  await registeredUser('eve')
  const known = await observe(await register('eve_2', { email: 'EVE@example.com' }))
  expect(known).toEqual(await observe(await register('eve_3', { email: 'nobody@example.com' })))
  const hint = () => mailsTo('eve@example.com').some(({ subject }) => subject === 'You already have an account')
  await until(hint)
  expect((await logIn('eve')).status).toBe(200)
})

test('the statuses of repeated registrations do not reveal whether the email address is registered', async () => {
  await registeredUser('fay')
  const statuses = async (email: string, prefix: string) => [
    (await register(`${prefix}_a`, { email })).status,
    (await register(`${prefix}_a`, { email: 'other@example.com' })).status,
    (await register(`${prefix}_a`, { email })).status,
    (await register(`${prefix}_b`, { email })).status,
    (await register(`${prefix}_a`, { email: 'other@example.com' })).status,
    (await register('fay', { email })).status,
  ]
  expect(await statuses('fay@example.com', 'known')).toEqual(await statuses('unheard@example.com', 'new'))
})

test('one of fifty concurrent registrations of a handle succeeds, and the others return 409', async () => {
  const statuses = await statusesOf(
    Array.from({ length: 50 }, (_, i) => register('grace', { email: `grace_${i}@example.com` })),
  )
  expect(statuses.filter((status) => status === 202)).toHaveLength(1)
  expect(statuses.filter((status) => status === 409)).toHaveLength(49)
  expect(await directoryNumber('select count(*) n from handles where handle = ?', 'grace')).toBe(1)
  const users = "select count(*) n from users where email in (select address from handles where handle = 'grace')"
  expect(await directoryNumber(users)).toBe(1)
})

test('twenty concurrent registrations of an email address all return 202, and only one handle is stored', async () => {
  const statuses = await statusesOf(
    Array.from({ length: 20 }, (_, i) => register(`hal_${i}`, { email: 'hal@example.com' })),
  )
  expect(new Set(statuses)).toEqual(new Set([202]))
  const handles = "select count(*) n from handles where handle like 'hal\\_%' escape '\\'"
  expect(await directoryNumber(handles)).toBe(1)
})

test('an unverified handle is taken until its reservation expires; then another address can register it', async () => {
  await register('jack', { email: 'squatter@example.com' })
  const squattersToken = tokenIn(await nthMailTo('squatter@example.com', 1))
  await drained()
  clock.advance(HOUR_MS - 30_000)
  expect((await register('jack')).status).toBe(409)
  clock.advance(60_000)
  expect((await register('jack')).status).toBe(202)
  const late = await verify(squattersToken)
  expect([late.status, await late.json()]).toMatchObject([
    422,
    { errors: [{ field: 'token', message: expect.stringContaining('the handle is no longer reserved for you') }] },
  ])
  expect((await verify(await mailedToken('jack'))).status).toBe(200)
  expect((await register('jack_2', { email: 'squatter@example.com' })).status).toBe(202)
  expect((await verify(await mailedToken('jack_2'))).status).toBe(200)
})

test('the hour of a reservation starts when its email is sent, even if the email is late', async () => {
  send.mockRejectedValueOnce(new Error('the mail server is down'))
  await register('judy')
  await nthMailTo('judy@example.com', 1)
  clock.advance(2 * HOUR_MS)
  await deleteLapsed(createContext({ env, waitUntil: () => {} }))
  const accountId = toId(await directoryNumber("select account_id n from handles where handle = 'judy'"))
  await mailRegistration(createContext({ env, waitUntil: () => {} }), { accountId })
  clock.advance(HOUR_MS - 30_000)
  expect((await register('judy', { email: 'other@example.com' })).status).toBe(409)
  expect((await verify(tokenIn(mailsTo('judy@example.com').at(-1)!))).status).toBe(200)
})

test('the hourly job deletes expired registrations and keeps verified ones', async () => {
  const quinn = await registeredUser('quinn')
  await register('rose')
  await nthMailTo('rose@example.com', 1)
  await drained()
  clock.advance(HOUR_MS + 30_000)
  await deleteLapsed(createContext({ env, waitUntil: () => {} }))
  expect(await directoryNumber("select count(*) n from handles where handle = 'rose'")).toBe(0)
  const orphans = 'select count(*) n from users where id not in (select account_id from handles)'
  expect(await directoryNumber(orphans)).toBe(0)
  expect((await readMe((await loggedIn(quinn)).accessToken)).status).toBe(200)
})

test('the directory stores no email address, password or token in clear text', async () => {
  const canary = 'canary.7f3a@example.com'
  const pia = await registeredUser('pia', { email: canary, password: 'canary password 7f3b' })
  await register('pia_again', { email: canary })
  await drained()
  const { results: tables } = await env.DIRECTORY.prepare(
    "select name from sqlite_master where type = 'table' and name not like '\\_cf%' escape '\\'",
  ).all<{ name: string }>()
  const rows = await Promise.all(tables.map(({ name }) => env.DIRECTORY.prepare(`select * from "${name}"`).all()))
  const stored = JSON.stringify(rows).toLowerCase()
  expect(stored).toContain('"pia"')
  for (const secret of [canary, 'canary.7f3a', 'canary password 7f3b', pia.refreshToken.split('.')[1]!, pia.token]) {
    expect(stored).not.toContain(secret.toLowerCase())
  }
})

test('an IP address gets 429 after twenty registration attempts, even if all of them were refused', async () => {
  const by = anonymousClient()
  const json = { handle: 'admin', email: 'x@example.com', password: PASSWORD }
  const statuses = []
  for (let i = 0; i < 21; i++) statuses.push((await postJson('/v1/auth/register', json, by)).status)
  expect(statuses).toEqual([...Array(20).fill(422), 429])
})

test('registrations with one email address return 429 after twenty, over all IP addresses', async () => {
  const statuses = []
  for (let i = 0; i < 21; i++) statuses.push((await register(`flood_${i}`, { email: 'flooded@example.com' })).status)
  expect(statuses).toEqual([...Array(20).fill(202), 429])
  expect((await register('flood_other')).status).toBe(202)
})
