import { env } from 'cloudflare:workers'
import Argon2 from '@phi-ag/argon2'
import { expect, test, vi } from 'vitest'
import { configOf } from '../../../src/platform/config.ts'
import { blindIndex } from '../../../src/platform/security/crypto.ts'
import { loginPerNameLimit } from '../../../src/services/identity/limits.ts'
import { hashPassword, passwordMatches } from '../../../src/services/identity/passwords.ts'
import type { Tokens } from '../../../src/services/identity/views.ts'
import { PASSWORD, registeredUser } from '../../support/actors.ts'
import { logIn, outcomeOf, register } from '../../support/auth.ts'
import { anonymousClient } from '../../support/client.ts'

/** The result of `run`, and the cost parameters of each password hash that `run` computed or verified. */
async function countHashes<T>(run: () => T): Promise<{ result: Awaited<T>; hashes: string[] }> {
  const [hash, verify] = [vi.spyOn(Argon2.prototype, 'tryHash'), vi.spyOn(Argon2.prototype, 'tryVerify')]
  const result = await run()
  const hashed = hash.mock.calls.map(([, cost]) => `m=${cost?.memoryCost},t=${cost?.timeCost},p=${cost?.parallelism}`)
  const verified = verify.mock.calls.map(([encoded]) => /m=\d+,t=\d+,p=\d+/.exec(encoded)![0])
  hash.mockRestore()
  verify.mockRestore()
  return { result, hashes: [...hashed, ...verified] }
}

/** All that a client can observe of a login, and the work that determines its duration. */
async function observe(identifier: string, password = PASSWORD) {
  // Not `objectCalls`, because it contains the calls with which an isolate wakes a sweeper every five seconds.
  const guard = vi.spyOn(env.GUARD, 'getByName')
  const { result: response, hashes } = await countHashes(() => logIn(identifier, password))
  const guardCalls = guard.mock.calls.length
  guard.mockRestore()
  const variable = ['x-request-id', 'ratelimit', 'retry-after', 'x-cost']
  const { trips, rowsWritten, queueMessages } = JSON.parse(response.headers.get('x-cost')!)
  const headers = [...response.headers].filter(([name]) => !variable.includes(name))
  const body = await response.text()
  return { status: response.status, headers, body, trips, guardCalls, rowsWritten, queueMessages, hashes }
}

/** Uses up `attempts` of the login limit of a name, as clients at other IP addresses would. */
async function spendAttempts(name: string, attempts: number): Promise<void> {
  const key = await blindIndex(configOf(env), 'login', name)
  const limiter = env.GUARD.getByName(`loginPerName:${key}`)
  for (let left = attempts; left > 0; ) left -= (await limiter.lease(loginPerNameLimit, left)).granted
}

test('login accepts the handle or the email address in any letter case, and each login is a new session', async () => {
  const ada = await registeredUser('ada_login', { email: 'ada.login@example.com' })
  const sessions = new Set<string>()
  const names = ['ada_login', 'ADA_Login', ' @Ada_login', 'ada.login@example.com', ' Ada.Login@EXAMPLE.com']
  for (const identifier of names) {
    const response = await logIn(identifier)
    expect(response.status, identifier).toBe(200)
    const tokens = await response.json<Tokens>()
    expect(tokens.account).toEqual({ id: ada.id, handle: 'ada_login' })
    sessions.add(tokens.refreshToken.split('.')[0]!)
  }
  expect(sessions.size).toBe(names.length)
})

test('logins with an unknown name, an unverified name or a wrong password get the same response and cost', async () => {
  await registeredUser('bob_login')
  await register('unverified')
  const wrongPassword = await observe('bob_login', 'not the password of bob')
  expect(wrongPassword).toMatchObject({ status: 401, body: expect.stringContaining('"invalid_credentials"') })
  expect(wrongPassword.hashes).toEqual(['m=64,t=2,p=1'])
  expect(await observe('bob_login@example.com', 'not the password of bob')).toEqual(wrongPassword)
  for (const identifier of ['unknown', 'unverified', 'unknown@example.com', 'unverified@example.com']) {
    expect(await observe(identifier), identifier).toEqual(wrongPassword)
  }
})

test('checking a password against a missing hash costs as much as checking a wrong password', async () => {
  const config = { ...configOf(env), PASSWORD_HASH_MEMORY_KIB: 19_456 }
  const stored = hashPassword(config, PASSWORD)
  for (const hash of [stored, null]) {
    const attempt = await countHashes(() => passwordMatches(config, 'not the password', hash))
    expect(attempt).toEqual({ result: false, hashes: ['m=19456,t=2,p=1'] })
  }
})

test('a password matches in NFC and NFD, and a long password with another last character does not', () => {
  const config = configOf(env)
  const hash = hashPassword(config, 'crème brûlée à la carte'.normalize('NFC'))
  expect(passwordMatches(config, 'crème brûlée à la carte'.normalize('NFD'), hash)).toBe(true)
  const long = '密'.repeat(20)
  expect(passwordMatches(config, `${long}碼`, hashPassword(config, `${long}語`))).toBe(false)
  expect(passwordMatches(config, `${long}碼`, hashPassword(config, `${long}碼`))).toBe(true)
  expect(passwordMatches(config, '%E5%AF%86', hashPassword(config, '密'))).toBe(false)
  expect(passwordMatches(config, 'lone \ud800 half', hashPassword(config, 'lone \ud800 half'))).toBe(true)
})

test('passwords are hashed with Argon2id and the configured memory', () => {
  expect(hashPassword(configOf(env), PASSWORD)).toMatch(/^\$argon2id\$v=19\$m=64,t=2,p=1\$/)
})

test('twenty wrong logins from one IP address do not refuse the owner on a known device or at another address', async () => {
  const carol = await registeredUser('carol_login')
  const attacker = anonymousClient()
  const guesses = []
  for (let i = 0; i < 20; i++) guesses.push((await logIn('carol_login', 'a guess at the password', attacker)).status)
  expect(guesses).toEqual([...Array(10).fill(401), ...Array(10).fill(403)])
  expect(await outcomeOf(await logIn('carol_login', PASSWORD, attacker))).toEqual([403, 'login_challenge_required'])
  expect((await logIn('carol_login', PASSWORD, attacker, carol.deviceToken)).status).toBe(200)
  expect((await logIn('carol_login')).status).toBe(200)
})

test('a handle or email address, known or not, requires more after 100 wrong guesses over all IP addresses', async () => {
  const dan = await registeredUser('dan_login')
  await registeredUser('eve_login')
  const refusals = []
  for (const name of ['dan_login', 'dan_login@example.com', 'nobody_login', 'nobody_login@example.com']) {
    await spendAttempts(name, 95)
    const guesses = []
    for (let i = 0; i < 5; i++) guesses.push((await logIn(name, 'a guess at the password')).status)
    expect(guesses, name).toEqual(Array(5).fill(401))
    refusals.push(await observe(name))
  }
  expect(refusals[0]).toMatchObject({ status: 403, body: expect.stringContaining('"login_challenge_required"') })
  expect(refusals[0]).toMatchObject({ trips: 0, hashes: [] })
  expect(refusals).toEqual(Array(4).fill(refusals[0]))
  expect((await logIn('@dan_login')).status).toBe(403)
  expect((await logIn('@dan_login', PASSWORD, anonymousClient(), dan.deviceToken)).status).toBe(200)
  expect((await logIn('eve_login')).status).toBe(200)
})

test('an IP address requires more after ten wrong logins, whatever the names', async () => {
  const by = anonymousClient()
  const statuses = []
  for (let i = 0; i < 11; i++) statuses.push((await logIn(`nobody_${i}`, PASSWORD, by)).status)
  expect(statuses).toEqual([...Array(10).fill(401), 403])
})
