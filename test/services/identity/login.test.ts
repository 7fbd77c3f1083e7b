import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { configOf } from '../../../src/platform/config.ts'
import { blindIndex } from '../../../src/platform/security/crypto.ts'
import { limits } from '../../../src/platform/security/rate-limit.ts'
import { hashPassword, passwordMatches } from '../../../src/services/identity/passwords.ts'
import type { Tokens } from '../../../src/services/identity/views.ts'
import { PASSWORD, register, stranger } from '../../support/people.ts'

const logIn = (identifier: string, password = PASSWORD, by = stranger()) =>
  by.fetch('/v1/auth/login', { method: 'POST', json: { identifier, password } })

/** What an answer shows, but for what differs by nature. */
async function shown(response: Response) {
  const ignored = ['x-request-id', 'ratelimit', 'retry-after', 'x-cost']
  const { trips, objectCalls, rowsWritten } = JSON.parse(response.headers.get('x-cost')!)
  const headers = [...response.headers].filter(([name]) => !ignored.includes(name))
  return { status: response.status, headers, body: await response.text(), trips, objectCalls, rowsWritten }
}

/** Spends so many of the tries that a name has, as if from elsewhere. */
async function useUp(name: string, tries: number): Promise<void> {
  const key = await blindIndex(configOf(env), 'login', name)
  const limiter = env.LIMITER.getByName(`loginPerName:${key}`)
  for (let left = tries; left > 0; ) left -= (await limiter.lease(limits.loginPerName, left)).granted
}

test('one logs in with the handle or the address, in any case, and each login is its own', async () => {
  const ada = await register('ada_login', { email: 'ada.login@example.com' })
  const sessions = new Set<string>()
  for (const identifier of ['ada_login', 'ADA_Login', 'ada.login@example.com', ' Ada.Login@EXAMPLE.com']) {
    const response = await logIn(identifier)
    expect(response.status, identifier).toBe(200)
    const tokens = await response.json<Tokens>()
    expect(tokens.account).toEqual({ id: ada.id, handle: 'ada_login' })
    sessions.add(tokens.refreshToken.split('.')[0]!)
  }
  expect(sessions.size).toBe(4)
})

test('who is unknown, unverified or wrong about the password gets the same answer after the same work', async () => {
  await register('bob_login')
  const json = { handle: 'unverified', email: 'unverified@example.com', password: PASSWORD }
  await stranger().fetch('/v1/auth/register', { method: 'POST', json })
  const wrong = await shown(await logIn('bob_login', 'not the password of bob'))
  expect(wrong).toMatchObject({ status: 401, body: expect.stringContaining('"invalid_credentials"') })
  expect(await shown(await logIn('unknown'))).toEqual(wrong)
  expect(await shown(await logIn('unverified'))).toEqual(wrong)
  expect(await shown(await logIn('bob_login@example.com', 'not the password of bob'))).toEqual(wrong)
  expect(await shown(await logIn('unknown@example.com'))).toEqual(wrong)
  expect(await shown(await logIn('unverified@example.com'))).toEqual(wrong)
})

test('finding out that there is no such account takes as long as finding out that the password is wrong', () => {
  const config = { ...configOf(env), PASSWORD_HASH_MEMORY_KIB: 19_456 }
  const hash = hashPassword(config, PASSWORD)
  const time = (stored: string | null) => {
    const started = performance.now()
    expect(passwordMatches(config, 'not the password', stored)).toBe(false)
    return performance.now() - started
  }
  // The shortest of many that take turns: whatever else the machine does only ever makes them longer.
  const turns = Array.from({ length: 15 }, () => [time(hash), time(null)] as const)
  const [known, unknown] = [0, 1].map((i) => Math.min(...turns.map((turn) => turn[i]!)))
  expect(known! / unknown!).toBeGreaterThan(0.7)
  expect(known! / unknown!).toBeLessThan(1.4)
})

test('a password is the same however its accents are composed, and every character of it counts', () => {
  const config = configOf(env)
  const hash = hashPassword(config, 'crème brûlée à la carte'.normalize('NFC'))
  expect(passwordMatches(config, 'crème brûlée à la carte'.normalize('NFD'), hash)).toBe(true)
  const long = '密'.repeat(20)
  expect(passwordMatches(config, `${long}碼`, hashPassword(config, `${long}語`))).toBe(false)
  expect(passwordMatches(config, `${long}碼`, hashPassword(config, `${long}碼`))).toBe(true)
  expect(passwordMatches(config, '%E5%AF%86', hashPassword(config, '密'))).toBe(false)
  expect(passwordMatches(config, 'lone \ud800 half', hashPassword(config, 'lone \ud800 half'))).toBe(true)
})

test('the hash is Argon2id with the configured memory', () => {
  expect(hashPassword(configOf(env), PASSWORD)).toMatch(/^\$argon2id\$v=19\$m=64,t=2,p=1\$/)
})

test('twenty wrong tries from one address do not keep the owner out at another', async () => {
  await register('carol_login')
  const by = stranger()
  const guesses = []
  for (let i = 0; i < 20; i++) guesses.push((await logIn('carol_login', 'a guess at the password', by)).status)
  expect(guesses).toEqual([...Array(10).fill(401), ...Array(10).fill(429)])
  expect((await logIn('carol_login', PASSWORD, by)).status).toBe(429)
  expect((await logIn('carol_login')).status).toBe(200)
})

test('from many addresses a name is tried three hundred times an hour, whether it exists or not', async () => {
  await register('dan_login')
  await register('eve_login')
  const refusals = []
  for (const name of ['dan_login', 'dan_login@example.com', 'nobody_login', 'nobody_login@example.com']) {
    await useUp(name, 295)
    const guesses = []
    for (let i = 0; i < 5; i++) guesses.push((await logIn(name, 'a guess at the password')).status)
    expect(guesses, name).toEqual(Array(5).fill(401))
    refusals.push(await shown(await logIn(name)))
  }
  expect(refusals[0]).toMatchObject({ status: 429, body: expect.stringContaining('"rate_limited"') })
  expect(refusals).toEqual(Array(4).fill(refusals[0]))
  expect((await logIn('eve_login')).status).toBe(200)
})

test('more than ten tries from one address are refused, whatever the names', async () => {
  const by = stranger()
  const statuses = []
  for (let i = 0; i < 11; i++) statuses.push((await logIn(`nobody_${i}`, PASSWORD, by)).status)
  expect(statuses).toEqual([...Array(10).fill(401), 429])
})
