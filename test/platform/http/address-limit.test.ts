import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import { addressLimit, anonymousLimit } from '../../../src/platform/security/rate-limit.ts'
import { callNotes, isolateNotes, problemCodeOf } from '../../support/notes-app.ts'
import { useUp } from '../../support/rate-limits.ts'

isolateNotes()

/** Requests that count against the limit of the address, because no operation admits them. */
const strangers: [what: string, path: string, init?: RequestInit][] = [
  ['a page', '/', { headers: { accept: 'text/html' } }],
  ['an asset', '/main.js'],
  ['the API documentation', '/docs/'],
  ['an unknown path', '/nothing'],
  ['an unknown path of the API', '/v1/nothing'],
  ['an unknown method', '/v1/notes/1', { method: 'DELETE' }],
  ['a forged token', '/v1/notes/1', { headers: { authorization: `Bearer ${'forged.'.repeat(5)}x` } }],
  ['a malformed token', '/v1/notes/1', { headers: { authorization: 'Basic YTpi' } }],
  ['a forged token on an unknown path', '/v1/nothing', { headers: { authorization: 'Bearer forged.forged.forged' } }],
  ['a body that is too large', '/v1/notes', { method: 'POST', body: 'x'.repeat(300_000) }],
  ['a readiness check', '/readyz'],
  ['a readiness check with a forged token', '/readyz', { headers: { authorization: 'Bearer forged.forged.forged' } }],
]

let next = 0
/** A client address that no other test uses. */
const newAddress = () => `203.0.113.${next++}`
const from = (address: string, init: RequestInit = {}): RequestInit => {
  const headers = new Headers(init.headers)
  headers.set('cf-connecting-ip', address)
  return { ...init, headers }
}

test.each(strangers)(
  '%s counts once against the limit of its address, with at most one object call',
  async (_, path, init) => {
    const address = newAddress()
    for (const left of [599, 598]) {
      const response = await callNotes(path, from(address, init))
      expect(response.headers.get('ratelimit-policy')).toBe('"address";q=600;w=60')
      expect(response.headers.get('ratelimit')).toMatch(new RegExp(`^"address";r=${left};t=\\d+$`))
      const cost = JSON.parse(response.headers.get('x-cost') ?? '{"objectCalls":0}')
      expect(cost.objectCalls).toBeLessThanOrEqual(1)
    }
  },
)

test.each(strangers)('%s is refused with 429 above the limit of its address', async (_, path, init) => {
  const address = newAddress()
  await useUp(addressLimit, address)
  const response = await callNotes(path, from(address, init))
  expect(response.status).toBe(429)
  expect(await problemCodeOf(response)).toBe('rate_limited')
  expect(response.headers.get('ratelimit')).toMatch(/^"address";r=0;t=\d+$/)
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(response.headers.get('strict-transport-security')).toContain('max-age')
})

test('a used-up address limit does not affect operations, and a used-up anonymous limit does not affect pages', async () => {
  const [first, second] = [newAddress(), newAddress()]
  await useUp(addressLimit, first)
  expect((await callNotes('/v1/notes/1', from(first))).status).toBe(200)
  await useUp(anonymousLimit, second)
  expect((await callNotes('/v1/notes/1', from(second))).status).toBe(429)
  expect((await callNotes('/', from(second, { headers: { accept: 'text/html' } }))).status).toBe(200)
})

test('an operation is counted once even if it fails, and /healthz and preflights are not counted', async () => {
  const address = newAddress()
  for (const [path, method] of [
    ['/v1/notes/1', 'GET'],
    ['/v1/failing', 'GET'],
    ['/v1/notes', 'POST'],
  ] as const) {
    await callNotes(path, from(address, { method }))
  }
  for (const [path, method] of [
    ['/healthz', 'GET'],
    ['/v1/notes', 'OPTIONS'],
  ] as const) {
    expect((await callNotes(path, from(address, { method }))).headers.has('ratelimit')).toBe(false)
  }
  expect((await callNotes('/v1/notes/1', from(address))).headers.get('ratelimit')).toContain('"anonymous";r=296')
  expect((await callNotes('/nothing', from(address))).headers.get('ratelimit')).toContain('"address";r=599')
})

test('while the AccessGuard fails, pages are still served', async () => {
  const GUARD = { getByName: () => ({ lease: () => Promise.reject(new Error('down')) }) }
  const address = newAddress()
  const page = () => callNotes('/', from(address, { headers: { accept: 'text/html' } }), { ...env, GUARD })
  for (let n = 0; n < addressLimit.free!; n++) await page()
  const { status, headers } = await page()
  expect([status, headers.has('ratelimit')]).toEqual([200, false])
})
