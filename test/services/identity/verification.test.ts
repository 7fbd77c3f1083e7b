import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { toId } from '../../../src/platform/data/ids.ts'
import { verificationToken } from '../../../src/services/identity/verification.ts'
import { mailedToken, PASSWORD } from '../../support/actors.ts'
import {
  directoryNumber,
  directoryRow,
  logIn,
  outcomeOf,
  register,
  registrationTokenOf,
  verify,
} from '../../support/auth.ts'
import { fetchWith, postJson } from '../../support/client.ts'
import { count, shardHolding } from '../../support/databases.ts'
import { fingerprint, fingerprintWithoutAudit } from '../../support/fingerprint.ts'
import { interceptMails, tokenIn } from '../../support/mails.ts'
import { delivered, drained } from '../../support/outboxes.ts'
import { until } from '../../support/until.ts'

const { nthMailTo } = interceptMails()
const HOUR_MS = 3_600_000
const refused = [401, 'invalid_credentials']

/** Verifies with the proof of the client that registered, and without a password. */
const verifyHere = (token: string, registrationToken?: string) =>
  postJson('/v1/auth/verify', { token, registrationToken })

test('the client that registered verifies without the password, and any other client needs it', async () => {
  const registrationToken = await registrationTokenOf(await register('una'))
  const token = await mailedToken('una')
  await drained()
  const before = await fingerprint()
  for (const proof of [undefined, '', 'x', registrationToken.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))]) {
    const response = await verifyHere(token, proof)
    expect([response.status, await response.json()]).toMatchObject([422, { errors: [{ field: 'password' }] }])
  }
  expect(await fingerprint()).toEqual(before)
  expect((await verifyHere(token, registrationToken)).status).toBe(200)
  expect((await verifyHere(token, registrationToken)).status).toBe(422)
  expect((await logIn('una')).status).toBe(200)
})

test('the click of a victim does not activate the account that an attacker registered with the victim’s address', async () => {
  const own = await registrationTokenOf(await register('vera'))
  await register('mallory', { email: 'vera@example.com', password: 'chosen by the attacker' })
  const clicked = await mailedToken('mallory')
  expect(await outcomeOf(await verifyHere(clicked, own))).toEqual([422, 'invalid'])
  expect(await outcomeOf(await verifyHere(clicked))).toEqual([422, 'invalid'])
  expect((await logIn('mallory', 'chosen by the attacker')).status).toBe(401)
  expect(await count("select count(*) n from accounts where handle = 'mallory'")).toBe(0)
})

test('a registration with a known address gets a token too, which verifies nothing', async () => {
  const first = await registrationTokenOf(await register('wyn'))
  expect((await verifyHere(await mailedToken('wyn'), first)).status).toBe(200)
  const second = await registrationTokenOf(await register('wyn_2', { email: 'wyn@example.com' }))
  expect(second).toMatch(/^[\w-]{43}$/)
  expect((await verifyHere(await mailedToken('wyn_2'), second)).status).toBe(422)
  expect(await count("select count(*) n from accounts where handle = 'wyn_2'")).toBe(0)
})

test('the token of the latest registration with the password of an earlier one is refused', async () => {
  const accounts = () => count("select count(*) n from accounts where handle = 'vic'")
  const [own, foreign] = ['chosen by the owner', 'chosen by another']
  await register('vic', { password: own })
  await nthMailTo('vic@example.com', 1)
  await register('vic', { password: foreign })
  const foreignToken = tokenIn(await nthMailTo('vic@example.com', 2))
  expect(await outcomeOf(await verify(foreignToken, own))).toEqual(refused)
  for (const password of [own, foreign]) {
    for (const name of ['vic', 'vic@example.com']) expect(await outcomeOf(await logIn(name, password))).toEqual(refused)
  }
  expect(await accounts()).toBe(0)

  await register('vic', { password: own })
  expect((await verify(tokenIn(await nthMailTo('vic@example.com', 3)), own)).status).toBe(200)
  expect(await accounts()).toBe(1)
  expect((await logIn('vic', own)).status).toBe(200)
  expect(await outcomeOf(await logIn('vic', foreign))).toEqual(refused)
})

test('registering again before verification voids the earlier token and the earlier password', async () => {
  await register('kim', { password: 'the first password of kim' })
  const first = await mailedToken('kim')
  await register('kim', { password: 'another long passphrase' })
  expect((await verify(first, 'the first password of kim')).status).toBe(422)
  expect((await verify(await mailedToken('kim'), 'another long passphrase')).status).toBe(200)
  expect((await logIn('kim', 'the first password of kim')).status).toBe(401)
  expect((await logIn('kim', 'another long passphrase')).status).toBe(200)
})

test('verifying with a wrong password changes no data but the audit log, and the right password still verifies afterwards', async () => {
  await register('wes')
  const token = tokenIn(await nthMailTo('wes@example.com', 1))
  await delivered()
  const before = await fingerprintWithoutAudit()
  expect(await outcomeOf(await verify(token, 'not the password'))).toEqual(refused)
  expect(await outcomeOf(await verify(token, ''))).toEqual(refused)
  await drained()
  expect(await fingerprintWithoutAudit()).toEqual(before)
  expect((await verify(token)).status).toBe(200)
})

test('a verification token works once, also in concurrent requests, and altered tokens return 422', async () => {
  await register('lea')
  await register('lou')
  const token = await mailedToken('lea')
  const [account, expiry, signature] = token.split('.')
  const [other] = (await mailedToken('lou')).split('.')
  const altered = [
    `${other}.${expiry}.${signature}`,
    `${account}.${Number(expiry) + 1}.${signature}`,
    `${account}.${expiry}.`,
    `${token}x`,
    'x',
  ]
  for (const wrong of altered) expect((await verify(wrong)).status, wrong).toBe(422)
  const statuses = (await Promise.all(Array.from({ length: 10 }, () => verify(token)))).map(({ status }) => status)
  expect(statuses.sort()).toEqual([200, ...Array(9).fill(422)])
  expect((await verify(token)).status).toBe(422)
})

test('a verification token expires after an hour', async () => {
  await register('mia')
  const row = await directoryRow<{ account_id: number; address: string }>(
    "select account_id, address from handles where handle = 'mia'",
  )
  const registration = { accountId: toId(row!.account_id), address: row!.address }
  const tokenOf = (hoursAgo: number) => {
    const now = () => Date.now() - hoursAgo * HOUR_MS
    return verificationToken({ ...createContext({ env, waitUntil: () => {} }), now }, registration)
  }
  expect((await verify(await tokenOf(1.1))).status).toBe(422)
  expect((await verify(await tokenOf(0.9))).status).toBe(200)
})

test('a verification token allows ten attempts an hour over all IPs; registering again resets the limit', async () => {
  await register('xan')
  const token = await mailedToken('xan')
  for (let i = 0; i < 10; i++) expect(await outcomeOf(await verify(token, 'a guess at the password'))).toEqual(refused)
  const limited = await verify(token)
  expect(limited.headers.get('ratelimit-policy')).toBe('"verify";q=10;w=3600')
  expect(await outcomeOf(limited)).toEqual([429, 'rate_limited'])
  await register('xan')
  expect((await verify(await mailedToken('xan'))).status).toBe(200)
})

test('attempts with an altered verification token do not count against the limit of the valid token', async () => {
  await register('yan')
  const token = await mailedToken('yan')
  for (let i = 0; i < 11; i++) expect(await outcomeOf(await verify(`${token}x`))).toEqual([422, 'invalid'])
  expect((await verify(token)).status).toBe(200)
})

test('when the shards fail during a verification request, an event opens the account afterwards', async () => {
  await register('ned')
  const token = await mailedToken('ned')
  const accountId = toId(await directoryNumber("select account_id n from handles where handle = 'ned'"))
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  const down = { withSession: () => ({ batch: () => Promise.reject(new Error('down')), getBookmark: () => null }) }
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ token, password: PASSWORD })
  const bindings = { ...env, SHARD_0: down, SHARD_1: down }
  expect((await fetchWith(bindings, '/v1/auth/verify', { method: 'POST', headers, body })).status).toBe(500)
  const account = () => shardHolding(accountId).prepare('select id from accounts where handle = ?').bind('ned').first()
  await until(async () => (await account()) !== null)
  expect((await logIn('ned')).status).toBe(200)
  log.mockRestore()
})
