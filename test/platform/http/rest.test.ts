import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { revokeSessions, setSuspended } from '../../../src/platform/security/revocation.ts'
import { newViewer, smallApp } from '../../support/edge.ts'
import { contextWith } from '../../support/platform.ts'
import { reached, things, writeThings } from '../../support/things.ts'

const { call } = smallApp(things)

let ada = newViewer()

beforeEach(() => {
  ada = newViewer({ scopes: new Set([writeThings]) })
  reached.mockReset()
  vi.spyOn(console, 'log').mockImplementation(() => {})
})
afterEach(() => vi.restoreAllMocks())

const json = (body: unknown, headers: Record<string, string> = {}) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
})
const write = (body: unknown, headers?: Record<string, string>, path = '/v1/things/5') =>
  call(ada, path, json(body, headers))
const codeOf = async (response: Response) => (await response.json<{ code: string }>()).code

test('a valid request runs the operation with path, query and body merged into one input', async () => {
  const response = await write({ text: 'hello' }, { 'idempotency-key': 'k' }, '/v1/things/5?limit=3')
  expect([response.status, await response.json()]).toEqual([201, { text: 'hello' }])
  expect(reached).toHaveBeenCalledExactlyOnceWith(ada.id, 'k', 3, '5')
  expect(response.headers.get('location')).toBe('/v1/things/hello')
})

test('an invalid body or query returns 422 with the invalid field, and __proto__ changes no prototype', async () => {
  const wrong: [unknown, string | undefined, string][] = [
    [{ text: 'too long' }, undefined, 'text'],
    [{ text: 5 }, undefined, 'text'],
    [{}, undefined, 'text'],
    [{ text: 'x', role: 'admin' }, undefined, 'role'],
    [[], undefined, ''],
    [{ text: 'x' }, '/v1/things/5?limit=10', 'limit'],
    [{ text: 'x' }, '/v1/things/5?limit=1&limit=2', 'limit'],
    [{ text: 'x' }, '/v1/things/5?admin=1', 'admin'],
  ]
  for (const [body, path, field] of wrong) {
    const response = await write(body, {}, path)
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({ code: 'invalid', errors: [{ field }] })
  }
  const polluting = await call(ada, '/v1/things/5', { ...json({}), body: '{"text":"x","__proto__":{"admin":true}}' })
  expect([422, 201]).toContain(polluting.status)
  expect(({} as { admin?: boolean }).admin).toBeUndefined()
})

test('a malformed path parameter returns not_found', async () => {
  expect(await codeOf(await write({ text: 'x' }, {}, '/v1/things/abc'))).toBe('not_found')
})

test('an Idempotency-Key has 1 to 255 characters', async () => {
  const longest = 'k'.repeat(255)
  expect((await write({ text: 'x' }, { 'idempotency-key': longest }, '/v1/things/5?limit=3')).status).toBe(201)
  expect(reached).toHaveBeenLastCalledWith(ada.id, longest, 3, '5')
  expect(await codeOf(await write({ text: 'x' }, { 'idempotency-key': 'k'.repeat(256) }))).toBe('invalid')
  expect(await codeOf(await write({ text: 'x' }, { 'idempotency-key': '' }))).toBe('invalid')
})

test('a caller without access is refused before the request is validated', async () => {
  const anonymous = await call(null, '/v1/things/abc', { method: 'POST', body: 'x' })
  expect(anonymous.headers.get('www-authenticate')).toContain('Bearer')
  expect(await codeOf(anonymous)).toBe('unauthorized')
  expect(await codeOf(await call({ ...ada, scopes: new Set() }, '/v1/things/5', json({})))).toBe('insufficient_scope')
  expect(await codeOf(await call(ada, '/v1/rules', { method: 'PUT' }))).toBe('forbidden')
  expect((await call({ ...ada, role: 'moderator' }, '/v1/rules', { method: 'PUT' })).status).toBe(204)
  expect(reached).not.toHaveBeenCalled()
})

test('requests of a suspended account, or with a token of an ended session, are refused', async () => {
  await setSuspended(contextWith(), ada.id, true)
  expect(await codeOf(await write({ text: 'x' }))).toBe('suspended')
  const bob = newViewer()
  await revokeSessions(contextWith(), bob.id, ['login 1'])
  expect(await codeOf(await call(bob, '/v1/login', { method: 'POST' }))).toBe('unauthorized')
  expect((await call({ ...bob, sessionId: 'login 2' }, '/v1/login', { method: 'POST' })).status).toBe(204)
})

test('all requests of an account, even forbidden ones, share one limit, and RateLimit tells what is left', async () => {
  const first = await write({ text: 'x' })
  expect(first.headers.get('ratelimit-policy')).toBe('"user";q=100;w=60')
  expect(first.headers.get('ratelimit')).toMatch(/^"user";r=99;t=\d+$/)
  for (let left = 98; left >= 0; left--) {
    const forbidden = await call(ada, '/v1/rules', { method: 'PUT' })
    expect(forbidden.headers.get('ratelimit')).toMatch(new RegExp(`^"user";r=${left};t=`))
  }
  const refused = await write({ text: 'x' })
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await codeOf(refused)).toBe('rate_limited')
})

test('an operation with its own limit counts requests per IP address', async () => {
  const from = (address: string) =>
    call(null, '/v1/login', { method: 'POST', headers: { 'cf-connecting-ip': address } })
  for (let i = 0; i < 10; i++) expect((await from('198.51.100.7')).status).toBe(204)
  const refused = await from('198.51.100.7')
  expect(refused.headers.get('ratelimit-policy')).toBe('"attempts";q=10;w=300')
  expect(await codeOf(refused)).toBe('rate_limited')
  expect((await from('198.51.100.8')).status).toBe(204)
})

test('a multipart form is validated like JSON, and an operation that takes a form refuses JSON', async () => {
  const form = new FormData()
  form.set('alt', 'a cat')
  expect((await call(null, '/v1/files', { method: 'POST', body: form })).status).toBe(204)
  expect(reached).toHaveBeenCalledExactlyOnceWith('a cat')
  form.set('alt', 'much too long')
  expect(await codeOf(await call(null, '/v1/files', { method: 'POST', body: form }))).toBe('invalid')
  expect(await codeOf(await call(null, '/v1/files', json({ alt: 'a cat' })))).toBe('unsupported_media_type')
})

test('a multipart form is accepted whatever the order and quotes of its content type parameters', async () => {
  const body = '--b\r\nContent-Disposition: form-data; name="alt"\r\n\r\na cat\r\n--b--\r\n'
  for (const parameters of ['boundary=b', 'boundary="b";charset=UTF-8', 'charset=UTF-8; boundary=b', ' boundary=b;']) {
    const headers = { 'content-type': `multipart/form-data;${parameters}` }
    const { status } = await call(null, '/v1/files', { method: 'POST', headers, body })
    expect({ parameters, status }).toEqual({ parameters, status: 204 })
  }
})

test('a response has Idempotency-Replayed for a replay, 204 for no result, and a declared Cache-Control', async () => {
  const seen = await write({ text: 'x' }, { 'idempotency-key': 'seen' })
  expect([seen.status, seen.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
  expect((await write({ text: 'x' })).headers.has('idempotency-replayed')).toBe(false)
  const empty = await call(null, '/v1/login', { method: 'POST' })
  expect([empty.status, await empty.text()]).toEqual([204, ''])
  expect((await call(null, '/v1/found')).headers.get('cache-control')).toBe('public, max-age=9')
})

test('a path parameter overrides the query parameter and body field of the same name', async () => {
  const renamed = await call(null, '/v1/things/5?thingId=7', { ...json({ thingId: '6' }), method: 'PATCH' })
  expect(renamed.status).toBe(204)
  expect(reached).toHaveBeenCalledExactlyOnceWith('5')
})

test('an operation with `respond` receives validated input and returns its own Response', async () => {
  expect(await (await call(null, '/v1/streams/7')).text()).toBe('7 GET')
  expect(await codeOf(await call(null, '/v1/streams/x'))).toBe('not_found')
})
