import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, expect, test, vi } from 'vitest'
import type { Env } from '../../../src/platform/config.ts'
import { createContext } from '../../../src/platform/context.ts'
import type { Id } from '../../../src/platform/data/ids.ts'
import { shardOf, toId } from '../../../src/platform/data/ids.ts'
import { deleteLapsed } from '../../../src/services/identity/jobs.ts'
import { mailRegistration } from '../../../src/services/identity/registration-mail.ts'
import { verificationToken } from '../../../src/services/identity/verification.ts'
import type { Tokens } from '../../../src/services/identity/views.ts'
import worker from '../../../src/worker.ts'
import { mailedToken, PASSWORD, register, settled, stranger } from '../../support/people.ts'

type Mail = { from: { email: string; name: string }; to: string; subject: string; html: string; text: string }
const HOUR = 3_600_000
const send = vi.spyOn(env.MAIL, 'send').mockResolvedValue({ messageId: 'sent' })
const mailsTo = (address: string) =>
  send.mock.calls.map(([mail]) => mail as unknown as Mail).filter(({ to }) => to === address)

beforeEach(() => {
  send.mockClear()
})

const post = (path: string, json: unknown, by = stranger()) => by.fetch(path, { method: 'POST', json })
const signUp = (handle: string, email = `${handle}@example.com`, password = PASSWORD) =>
  post('/v1/auth/register', { handle, email, password })
const verify = (token: string, password = PASSWORD) => post('/v1/auth/verify', { token, password })
const logIn = (identifier: string, password = PASSWORD) => post('/v1/auth/login', { identifier, password })
const one = <T>(query: string, ...values: unknown[]) =>
  env.DIRECTORY.prepare(query)
    .bind(...values)
    .first<T>()
const shards = [env.SHARD_0, env.SHARD_1]
const accountOf = 'select account_id n from handles where handle = ?'

/** What an answer shows, but for what differs by nature. */
async function shown(response: Response): Promise<unknown> {
  const ignored = ['x-request-id', 'ratelimit', 'x-bookmarks', 'x-cost']
  const headers = [...response.headers].filter(([name]) => !ignored.includes(name))
  const databases = response.headers.get('x-bookmarks')?.replace(/=[^;]+/g, '')
  return { status: response.status, headers, databases, body: await response.text(), cost: costOf(response) }
}
const costOf = (response: Response) => {
  const { trips, objectCalls, queueMessages } = JSON.parse(response.headers.get('x-cost')!)
  return { trips, objectCalls, queueMessages }
}

test('whoever registers and verifies the address has an account on an open shard, and is logged in', async () => {
  const answer = await signUp('Ada', ' Ada@Example.com ')
  expect(answer.status).toBe(202)
  expect(await answer.json()).toEqual({ status: 'verification_sent' })
  await vi.waitUntil(() => mailsTo('ada@example.com').length === 1, { timeout: 10_000 })

  const token = /token: (\S+)/.exec(mailsTo('ada@example.com')[0]!.text)![1]!
  const response = await verify(token)
  expect(response.status).toBe(200)
  const tokens = await response.json<Tokens>()
  expect(tokens).toMatchObject({ tokenType: 'Bearer', expiresIn: 600, account: { handle: 'ada' } })

  const shard = shards[shardOf(tokens.account.id)]!
  const account = await shard
    .prepare('select handle from accounts where id = ?')
    .bind(Number(tokens.account.id))
    .first()
  expect(account).toEqual({ handle: 'ada' })
  const headers = { authorization: `Bearer ${tokens.accessToken}` }
  const me = await stranger().fetch('/v1/accounts/me', { headers })
  expect(await me.json()).toMatchObject({ id: tokens.account.id, handle: 'ada' })
})

test('the mail brings a link and the token as text, to the address alone', async () => {
  await signUp('bea')
  await vi.waitUntil(() => mailsTo('bea@example.com').length === 1, { timeout: 10_000 })
  const mail = mailsTo('bea@example.com')[0]!
  const token = /token: (\S+)/.exec(mail.text)![1]!
  expect(mail).toMatchObject({ from: { name: 'SocialConnect' }, subject: 'Verify your address' })
  expect(mail.text).toContain(`http://127.0.0.1:8787/?verify=${token}`)
  expect(mail.html).toContain(`<a href="http://127.0.0.1:8787/?verify=${token}">`)
  expect(send).toHaveBeenCalledTimes(1)
})

test('an event that is delivered ten times sends one mail', async () => {
  await signUp('cleo')
  await vi.waitUntil(() => mailsTo('cleo@example.com').length === 1, { timeout: 10_000 })
  const row = await one<{ account_id: number }>('select account_id from handles where handle = ?', 'cleo')
  const ctx = createContext({ env, waitUntil: () => {} })
  for (let i = 0; i < 10; i++) await mailRegistration(ctx, { accountId: String(row!.account_id) as Id })
  expect(mailsTo('cleo@example.com')).toHaveLength(1)
})

test('a mail that could not be sent is sent later', async () => {
  send.mockRejectedValueOnce(new Error('the mail server is down'))
  const ctx = createContext({ env, waitUntil: () => {} })
  await signUp('dora')
  await vi.waitUntil(() => mailsTo('dora@example.com').length === 1, { timeout: 10_000 })
  const row = await one<{ account_id: number }>('select account_id from handles where handle = ?', 'dora')
  await mailRegistration(ctx, { accountId: String(row!.account_id) as Id })
  expect(mailsTo('dora@example.com')).toHaveLength(2)
})

test('what the log tells of a mail that failed holds no address', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const lines = () => log.mock.calls.map(([line]) => String(line))
  const said = '550 no room for <dave@example.com>'
  send.mockRejectedValueOnce(Object.assign(new Error(said, { cause: new Error(said) }), { code: 'E_DELIVERY_FAILED' }))
  await signUp('dave')
  const failed = () => lines().find((line) => line.includes('"a task will be retried"'))
  expect(await vi.waitUntil(failed, { timeout: 10_000 })).toContain('E_DELIVERY_FAILED')
  expect(lines().filter((line) => line.includes('dave@'))).toEqual([])
  log.mockRestore()
})

test('a mail that will never be taken is not tried again', async () => {
  send.mockRejectedValueOnce(Object.assign(new Error('suppressed'), { code: 'E_RECIPIENT_SUPPRESSED' }))
  await signUp('dot')
  const ready = () =>
    one<{ account_id: number }>('select account_id from handles where handle = ? and mailed_at > 0', 'dot')
  const row = await vi.waitUntil(ready, { timeout: 10_000 })
  await mailRegistration(createContext({ env, waitUntil: () => {} }), { accountId: String(row!.account_id) as Id })
  expect(mailsTo('dot@example.com')).toHaveLength(1)
})

test('a known address is answered as an unknown one is, by the same work, and its owner is told', async () => {
  await register('eve')
  const known = await shown(await signUp('eve_2', 'EVE@example.com'))
  const unknown = await shown(await signUp('eve_3', 'nobody@example.com'))
  expect(known).toEqual(unknown)
  const hint = () => mailsTo('eve@example.com').some(({ subject }) => subject === 'You already have an account')
  await vi.waitUntil(hint, { timeout: 10_000 })
  expect((await logIn('eve')).status).toBe(200)
})

test('what a registration reserves does not tell whether the address was known', async () => {
  await register('fay')
  const trace = async (email: string, prefix: string) => [
    (await signUp(`${prefix}_a`, email)).status,
    (await signUp(`${prefix}_a`, 'other@example.com')).status,
    (await signUp(`${prefix}_a`, email)).status,
    (await signUp(`${prefix}_b`, email)).status,
    (await signUp(`${prefix}_a`, 'other@example.com')).status,
    (await signUp('fay', email)).status,
  ]
  expect(await trace('fay@example.com', 'known')).toEqual(await trace('unheard@example.com', 'new'))
})

test('of twenty registrations for one handle at once, one wins', async () => {
  const racers = Array.from({ length: 20 }, (_, i) => signUp('grace', `grace_${i}@example.com`))
  const statuses = (await Promise.all(racers)).map(({ status }) => status)
  expect(statuses.filter((status) => status === 202)).toHaveLength(1)
  expect(statuses.filter((status) => status === 409)).toHaveLength(19)
  expect(await one('select count(*) n from handles where handle = ?', 'grace')).toEqual({ n: 1 })
  expect(
    await one("select count(*) n from users where email in (select address from handles where handle = 'grace')"),
  ).toEqual({ n: 1 })
})

test('of twenty registrations with one address at once, one stands', async () => {
  const racers = Array.from({ length: 20 }, (_, i) => signUp(`hal_${i}`, 'hal@example.com'))
  const statuses = (await Promise.all(racers)).map(({ status }) => status)
  expect(new Set(statuses)).toEqual(new Set([202]))
  expect(await one("select count(*) n from handles where handle like 'hal\\_%' escape '\\'")).toEqual({ n: 1 })
})

test('a handle differs from another by more than its case, and reserved ones are refused', async () => {
  await register('ivy')
  const taken = await signUp('IVY', 'else@example.com')
  expect(taken.status).toBe(409)
  expect(await taken.json()).toMatchObject({ code: 'handle_taken' })
  for (const handle of [
    'admin',
    'Root',
    'support',
    'moderator',
    'me',
    'SocialConnect',
    'ab',
    'a b',
    'ädä',
    'x'.repeat(31),
  ]) {
    expect((await signUp(handle, 'else@example.com')).status, handle).toBe(422)
  }
})

test('a handle that nobody verified is kept for a day, and then anyone may have it', async () => {
  await signUp('jack', 'squatter@example.com')
  expect((await signUp('jack', 'jack@example.com')).status).toBe(409)
  const squatters = await mailedToken('jack')
  await env.DIRECTORY.prepare("update handles set reserved_until = ? where handle = 'jack'")
    .bind(Date.now() - 1)
    .run()
  expect((await signUp('jack', 'jack@example.com')).status).toBe(202)
  expect((await verify(squatters)).status).toBe(422)
  expect((await verify(await mailedToken('jack'))).status).toBe(200)
})

test('whoever registers again before verifying gets what they asked for last, and earlier mails are void', async () => {
  await signUp('kim', 'kim@example.com', 'the first password of kim')
  const first = await mailedToken('kim')
  await signUp('kim', 'kim@example.com', 'another long passphrase')
  expect((await verify(first, 'the first password of kim')).status).toBe(422)
  expect((await verify(await mailedToken('kim'), 'another long passphrase')).status).toBe(200)
  expect((await logIn('kim', 'the first password of kim')).status).toBe(401)
  expect((await logIn('kim', 'another long passphrase')).status).toBe(200)
})

test('a verification token logs in once, and only as it was made', async () => {
  await signUp('lea')
  await signUp('lou')
  const token = await mailedToken('lea')
  const [account, until, signature] = token.split('.')
  const [other] = (await mailedToken('lou')).split('.')
  const forged = [
    `${other}.${until}.${signature}`,
    `${account}.${Number(until) + 1}.${signature}`,
    `${account}.${until}.`,
    `${token}x`,
    'x',
  ]
  for (const wrong of forged) expect((await verify(wrong)).status, wrong).toBe(422)
  const statuses = (await Promise.all(Array.from({ length: 10 }, () => verify(token)))).map(({ status }) => status)
  expect(statuses.sort()).toEqual([200, ...Array(9).fill(422)])
  expect((await verify(token)).status).toBe(422)
})

test('a verification token ends after a day', async () => {
  await signUp('mia')
  const row = await one<{ account_id: number; address: string }>(
    "select account_id, address from handles where handle = 'mia'",
  )
  const pending = { accountId: String(row!.account_id) as Id, address: row!.address }
  const at = (hours: number) => ({
    ...createContext({ env, waitUntil: () => {} }),
    now: () => Date.now() - hours * HOUR,
  })
  expect((await verify(await verificationToken(at(24.1), pending))).status).toBe(422)
  expect((await verify(await verificationToken(at(23.9), pending))).status).toBe(200)
})

test('an account is opened even when the verification was cut off before it could', async () => {
  await signUp('ned')
  const [token, { n }] = [await mailedToken('ned'), (await one<{ n: number }>(accountOf, 'ned'))!]
  const silent = vi.spyOn(console, 'log').mockImplementation(() => {})
  const down = { withSession: () => ({ batch: () => Promise.reject(new Error('down')), getBookmark: () => null }) }
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ token, password: PASSWORD })
  const request = new Request('http://127.0.0.1:8787/v1/auth/verify', { method: 'POST', headers, body })
  const cut = { ...env, SHARD_0: down, SHARD_1: down } as unknown as Env
  expect((await worker.fetch(request, cut, createExecutionContext())).status).toBe(500)
  const opened = () => shards[shardOf(toId(n))]!.prepare('select id from accounts where id = ?').bind(n).first()
  await vi.waitUntil(async () => (await opened()) !== null, { timeout: 10_000, interval: 50 })
  expect((await logIn('ned')).status).toBe(200)
  silent.mockRestore()
})

test.each([
  ['short', 'is 14 letters!'],
  ['common', 'PasswordPassword'],
  ['of few characters', 'abababababababababab'],
  ['with the handle in it', 'my name is OSCAR, really'],
  ['with the name of the address in it', 'a wilde.one password'],
  ['too long', 'long '.repeat(26)],
])('a password that is %s is refused', async (_, password) => {
  const response = await signUp('oscar', 'Wilde.One@example.com', password)
  expect(response.status).toBe(422)
  expect(await response.json()).toMatchObject({ errors: [{ field: 'password' }] })
})

test.each([
  'x',
  'a@b',
  'a b@example.com',
  'a@exa mple.com',
  'a@@example.com',
  'a\u0000@example.com',
  'a@127.0.0.1',
  '<a>@example.com',
  'a@example.com,b@example.com',
  'a@.com',
])('%j is no address', async (email) => {
  expect((await signUp('nobody_x', email)).status).toBe(422)
})

test('no address stands in clear anywhere in the directory, nor a password or a token', async () => {
  const canary = 'canary.7f3a@example.com'
  const pia = await register('pia', { email: canary, password: 'canary password 7f3b' })
  await signUp('pia_again', canary)
  await settled()
  const { results: tables } = await env.DIRECTORY.prepare(
    "select name from sqlite_master where type = 'table' and name not like '\\_cf%' escape '\\'",
  ).all<{ name: string }>()
  const rows = await Promise.all(tables.map(({ name }) => env.DIRECTORY.prepare(`select * from "${name}"`).all()))
  const everything = JSON.stringify(rows).toLowerCase()
  expect(everything).toContain('"pia"')
  for (const secret of [canary, 'canary.7f3a', 'canary password 7f3b', pia.refreshToken.split('.')[1]!, pia.token]) {
    expect(everything).not.toContain(secret.toLowerCase())
  }
})

test('registrations that lapsed are forgotten, and what is verified stays', async () => {
  const quinn = await register('quinn')
  await signUp('rose')
  await env.DIRECTORY.prepare("update handles set reserved_until = 1 where handle = 'rose'").run()
  await deleteLapsed(createContext({ env, waitUntil: () => {} }))
  expect(await one("select count(*) n from handles where handle = 'rose'")).toEqual({ n: 0 })
  expect(await one('select count(*) n from users where id not in (select account_id from handles)')).toEqual({ n: 0 })
  expect((await quinn.fetch('/v1/accounts/me')).status).toBe(200)
  expect((await logIn('quinn')).status).toBe(200)
})

test('more than twenty registrations an hour from one address are refused', async () => {
  const by = stranger()
  const json = { handle: 'ab', email: 'x@example.com', password: PASSWORD }
  const statuses = []
  for (let i = 0; i < 21; i++) statuses.push((await post('/v1/auth/register', { ...json, handle: 'admin' }, by)).status)
  expect(statuses.slice(0, 20)).toEqual(Array(20).fill(422))
  expect(statuses[20]).toBe(429)
})

test('one address is mailed for at most twenty registrations an hour, from however many places', async () => {
  const statuses = []
  for (let i = 0; i < 21; i++) statuses.push((await signUp(`flood_${i}`, 'flooded@example.com')).status)
  expect(statuses).toEqual([...Array(20).fill(202), 429])
  expect((await signUp('flood_other')).status).toBe(202)
})
