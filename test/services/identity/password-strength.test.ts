import { env } from 'cloudflare:workers'
import { afterEach, expect, test, vi } from 'vitest'
import { createContext } from '../../../src/platform/create-context.ts'
import { HASHES } from '../../../src/services/identity/common-passwords-list.ts'
import { isRepeated, isWalk } from '../../../src/services/identity/password-patterns.ts'
import { requireStrong } from '../../../src/services/identity/password-rules.ts'
import { outcomeOf } from '../../support/auth.ts'
import { inMode } from '../../support/modes.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const ada = { handle: 'ada_lovelace', address: 'countess@example.com' }
const HOST = '127.0.0.1:8798'
const breaches = { BREACHED_PASSWORDS_URL: `http://${HOST}/range`, OUTBOUND_LOCAL_HOSTS: HOST }

const contextOf = (bindings: object = {}) => createContext({ env: { ...env, ...bindings } as Env, waitUntil: () => {} })

/** Why the password is refused, or null. */
async function weakness(password: string, bindings?: object): Promise<string | null> {
  const refusal = requireStrong(contextOf(bindings), password, ada).then(
    () => null,
    (error: { extra: { errors: { message: string }[] } }) => error.extra.errors[0]!.message,
  )
  return refusal
}

const COMMON = 'is one of the most common passwords'

test('the list holds at least 10,000 different long passwords', () => {
  const bytes = [...Uint8Array.fromBase64(HASHES)]
  const isEqualToTheLast = (byte: number, i: number) => byte === 0 && (bytes[i - 1] ?? 0) < 128
  expect(bytes.filter((byte) => byte < 128).length).toBeGreaterThanOrEqual(10_000)
  expect(bytes.some(isEqualToTheLast)).toBe(false)
})

test.each([
  'passwordstandard',
  'manchesterunited',
  'cristianoronaldo',
  'worldofwarcraft',
  'stairwaytoheaven',
  'perasperaadastra',
  '30secondstomars',
  'neversaymypassword',
  'youngandrestless',
  'professionaltools',
  'changed_due_to_fraud',
  'iloveyousomuch123',
  'correct horse battery staple',
  'correcthorsebatterystaple',
  'loremipsumdolorsit',
  'mypasswordispassword',
  'administrator123',
  'telecommunications',
  'straightforward',
  'responsibilities',
  'state-of-the-art',
  'welcome123456789',
  'parliament12345',
])('the common password %j is refused, in any case', async (password) => {
  expect(await weakness(password)).toBe(COMMON)
  expect(await weakness(password.toUpperCase())).toBe(COMMON)
})

test.each([
  ['passwordpassword', 'must not repeat itself'],
  ['abc123abc123abc1', 'must not repeat itself'],
  ['1qaz2wsx3edc4rfv5tgb', COMMON],
  ['q1w2e3r4t5y6u7i8o9p0', 'must not be a row of neighboring keys, letters or digits'],
  ['QWERTYUIOP{}asdf', 'must not be a row of neighboring keys, letters or digits'],
  ['!@#$%^&*()qwertyuiop', 'must not be a row of neighboring keys, letters or digits'],
  ['0123456789abcdefgh', 'must not be a row of neighboring keys, letters or digits'],
  ['aabbaabbaabbaabb', 'must have at least 5 different characters'],
])('the pattern %j is refused', async (password, reason) => {
  expect(await weakness(password)).toBe(reason)
})

test.each([
  'seven quiet otters at dawn',
  'analytical engines rule',
  'open sesame, said the seed',
  'Tr0ub4dor&3 was not long',
  '9-zq!7-xk?4-vw+2',
  'žluťoučký kůň úpěl',
  'わたしのねこはとてもおおきいです',
  'no no no, not that one',
])('the password %j is accepted', async (password) => {
  expect(await weakness(password)).toBe(null)
})

/** 16 characters, as random as a hash, but the same in each run. */
async function randomPassword(seed: number): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', Uint32Array.of(seed))
  return new Uint8Array(digest, 0, 12).toBase64()
}

test('of 20,000 random passwords, the list and the patterns refuse almost none', async () => {
  const random = await Promise.all(Array.from({ length: 20_000 }, (_, seed) => randomPassword(seed)))
  const patterned = random.filter((password) => isRepeated(password) || isWalk(password.toLowerCase()))
  expect(patterned.length).toBeLessThan(3)
  const refused = await Promise.all(random.slice(0, 2_000).map((password) => weakness(password)))
  expect(refused.filter((reason) => reason !== null).length).toBeLessThan(2)
})

/** Answers like Have I Been Pwned, with padding. Returns the requests that it got. */
function fakeBreaches(...breached: string[]) {
  const asked: { url: string; headers: Headers }[] = []
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (url, init) => {
    asked.push({ url: String(url), headers: new Headers(init?.headers) })
    const prefix = String(url).split('/').at(-1)!
    const hashes = await Promise.all(breached.map(sha1))
    const found = hashes.filter((hash) => hash.startsWith(prefix)).map((hash) => `${hash.slice(5)}:37`)
    const padding = await sha1('seven quiet otters at dawn')
    return new Response([...found, `${padding.slice(5)}:0`, '00D4F6E8FA6EECAD2A3AA415EEC418D38EC:2'].join('\r\n'))
  })
  return asked
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return new Uint8Array(digest).toHex().toUpperCase()
}

test('a breached password is refused, and only the first five digits of its hash leave the system', async () => {
  const password = 'leaked by a web shop'
  const asked = fakeBreaches(password)
  expect(await weakness(password, breaches)).toMatch(/^was found in a data breach/)
  expect(asked.map(({ url }) => url)).toEqual([`http://${HOST}/range/${(await sha1(password)).slice(0, 5)}`])
  expect(asked[0]!.headers.get('add-padding')).toBe('true')
  // The fake service pads its response with the hash of this password.
  expect(await weakness('seven quiet otters at dawn', breaches)).toBe(null)
  expect(await weakness(password)).toBe(null)
  expect(asked).toHaveLength(2)
})

test('while the service for breached passwords does not respond, people can still register, and it is logged', async () => {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  vi.spyOn(globalThis, 'fetch').mockImplementation(async () => new Response('down', { status: 500 }))
  expect((await inMode('open', breaches).register('pw_ada')).status).toBe(202)
  expect(log.mock.calls.some(([line]) => String(line).includes('breached passwords cannot be checked'))).toBe(true)
  log.mockRestore()
  fakeBreaches('leaked by a web shop')
  const response = await inMode('open', breaches).register('pw_bob', { password: 'leaked by a web shop' })
  expect(await outcomeOf(response)).toEqual([422, 'invalid'])
})
