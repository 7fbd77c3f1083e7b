import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { fingerprint } from '../../support/fingerprint.ts'
import { mailedToken, PASSWORD, settled, stranger } from '../../support/people.ts'

const send = vi.spyOn(env.MAIL, 'send').mockResolvedValue({ messageId: 'sent' })

const post = (path: string, json: unknown) => stranger().fetch(path, { method: 'POST', json })
const signUp = (handle: string, password = PASSWORD) =>
  post('/v1/auth/register', { handle, email: `${handle}@example.com`, password })
const verify = (token: string, password = PASSWORD) => post('/v1/auth/verify', { token, password })
const logIn = (identifier: string, password = PASSWORD) => post('/v1/auth/login', { identifier, password })
const told = async (response: Response) => [response.status, (await response.json<{ code?: string }>()).code]
const refused = [401, 'invalid_credentials']

/** The token in the latest of the mails to an address, once there are `count`. */
async function newestToken(address: string, count: number): Promise<string> {
  const mails = () => send.mock.calls.map(([mail]) => mail as unknown as { to: string; text: string })
  const arrived = () => mails().filter(({ to }) => to === address)
  await vi.waitUntil(() => arrived().length === count, { timeout: 10_000 })
  return /token: (\S+)/.exec(arrived().at(-1)!.text)![1]!
}

async function accountsNamed(handle: string): Promise<number> {
  const counts = [env.SHARD_0, env.SHARD_1].map((db) =>
    db.prepare('select count(*) n from accounts where handle = ?').bind(handle).first<number>('n'),
  )
  return (await Promise.all(counts)).reduce<number>((sum, n) => sum + n!, 0)
}

test('whoever registers after somebody with the same address and handle gets nothing by their click', async () => {
  const [owners, others] = ['chosen by the owner', 'chosen by another']
  await signUp('vic', owners)
  await newestToken('vic@example.com', 1)
  await signUp('vic', others)
  const newest = await newestToken('vic@example.com', 2)
  expect(await told(await verify(newest, owners))).toEqual(refused)
  for (const password of [owners, others]) {
    for (const name of ['vic', 'vic@example.com']) expect(await told(await logIn(name, password))).toEqual(refused)
  }
  expect(await accountsNamed('vic')).toBe(0)

  await signUp('vic', owners)
  expect((await verify(await newestToken('vic@example.com', 3), owners)).status).toBe(200)
  expect(await accountsNamed('vic')).toBe(1)
  expect((await logIn('vic', owners)).status).toBe(200)
  expect(await told(await logIn('vic', others))).toEqual(refused)
})

test('a wrong password changes nothing, and the right one still gets in', async () => {
  await signUp('wes')
  const token = await newestToken('wes@example.com', 1)
  await settled()
  const before = await fingerprint()
  expect(await told(await verify(token, 'not the password'))).toEqual(refused)
  expect(await told(await verify(token, ''))).toEqual(refused)
  expect(await fingerprint()).toEqual(before)
  expect((await verify(token)).status).toBe(200)
})

test('a token gives ten tries an hour wherever they come from, and registering again begins anew', async () => {
  await signUp('xan')
  const token = await mailedToken('xan')
  for (let i = 0; i < 10; i++) expect(await told(await verify(token, 'a guess at the password'))).toEqual(refused)
  const late = await verify(token)
  expect(late.headers.get('ratelimit-policy')).toBe('"verify";q=10;w=3600')
  expect(await told(late)).toEqual([429, 'rate_limited'])
  await signUp('xan')
  expect((await verify(await mailedToken('xan'))).status).toBe(200)
})

test('whoever holds no token cannot use up its tries', async () => {
  await signUp('yan')
  const token = await mailedToken('yan')
  for (let i = 0; i < 11; i++) expect(await told(await verify(`${token}x`))).toEqual([422, 'invalid'])
  expect((await verify(token)).status).toBe(200)
})
