import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { refresh, registeredUser } from '../../support/actors.ts'
import { statusWith } from '../../support/auth.ts'
import { anonymousClient, fetchWith } from '../../support/client.ts'

test('the key set is public and contains the signing key without its private part', async () => {
  const nell = await registeredUser('nell_keys')
  const response = await anonymousClient().fetch('/v1/auth/jwks')
  expect(response.status).toBe(200)
  const { keys } = await response.json<{ keys: Record<string, string>[] }>()
  const { kid } = JSON.parse(atob(nell.token.split('.')[0]!))
  expect(keys.map((key) => key.kid)).toContain(kid)
  for (const key of keys) expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x'])
  expect(response.headers.get('cache-control')).toBe('public, max-age=300')
})

test('after a rotation, new tokens have a new key, and the tokens of the former key stay valid', async () => {
  const user = await registeredUser()
  const [former, keyOf] = [user.token, (token: string) => JSON.parse(atob(token.split('.')[0]!)).kid as string]
  // What `npm run keys:rotate` does.
  await env.DIRECTORY.prepare('update jwks set expires_at = ?').bind(Date.now()).run()
  await refresh(user)
  expect(keyOf(user.token)).not.toBe(keyOf(former))
  expect([await statusWith(former), await statusWith(user.token)]).toEqual([200, 200])
  const { keys } = await (await anonymousClient().fetch('/v1/auth/jwks')).json<{ keys: { kid: string }[] }>()
  expect(keys.map(({ kid }) => kid)).toEqual(expect.arrayContaining([keyOf(former), keyOf(user.token)]))
})

test('a failure to read the key set is not cached', async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  const withSession = () => {
    throw new Error('D1_ERROR: D1 DB is overloaded')
  }
  const response = await fetchWith({ ...env, DIRECTORY: { withSession } }, '/v1/auth/jwks')
  vi.restoreAllMocks()
  expect(response.status).toBe(503)
  expect(response.headers.get('cache-control')).toBe('private, no-store')
})
