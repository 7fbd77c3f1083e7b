import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'
import { callNotes, isolateNotes, logLines, postNote, problemCodeOf } from '../../support/notes-app.ts'

isolateNotes()

/** At least one request for each kind of response. */
const everyKind: [status: string, path: string, init?: RequestInit][] = [
  ['200', '/v1/notes/1'],
  ['200', '/healthz'],
  ['200', '/readyz'],
  ['204', '/v1/notes', { method: 'OPTIONS', headers: { origin: 'https://a.example' } }],
  ['400', '/v1/notes', { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } }],
  ['401', '/v1/notes/1', { headers: { authorization: 'Bearer forged.forged.forged' } }],
  ['401', '/v1/notes/1', { headers: { authorization: 'Basic x' } }],
  ['404', '/nothing/here'],
  ['404', '/v1/notes/0123456789'],
  ['405', '/v1/notes/1', { method: 'DELETE' }],
  ['405', '/v1/notes', { method: 'PROPFIND' }],
  ['413', '/v1/notes', { method: 'POST', body: 'x'.repeat(300_000), headers: { 'content-type': 'application/json' } }],
  ['415', '/v1/notes', { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } }],
  ['415', '/v1/notes', { method: 'POST', body: 'x', headers: { 'content-encoding': 'gzip' } }],
  ['422', '/v1/notes', { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } }],
  ['429', '/v1/limited'],
  ['500', '/v1/failing'],
]

test.each(everyKind)('kind %#: a %s response of %s has every security header', async (status, path, init) => {
  const response = await callNotes(path, init)
  expect(response.status).toBe(Number(status))
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'strict-transport-security': 'max-age=63072000; includeSubDomains; preload',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cache-control': path === '/v1/notes/1' && status === '200' ? 'no-cache' : 'private, no-store',
    'access-control-allow-origin': '*',
    'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
  expect(response.headers.has('access-control-allow-credentials')).toBe(false)
  if (response.status >= 400) await problemCodeOf(response)
})

test('the response to an internal error does not contain the error message, but the log does', async () => {
  const response = await callNotes('/v1/failing')
  expect(await response.text()).not.toContain('secret')
  expect(logLines.find((line) => line.message === 'a request failed')).toMatchObject({
    level: 'error',
    route: '/v1/failing',
    error: { message: 'an internal secret' },
  })
})

test('the response to a WebSocket upgrade keeps its socket and has security headers', async () => {
  const response = await callNotes('/v1/hub?name=0:4:0', { headers: { upgrade: 'websocket' } })
  expect(response.status).toBe(101)
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  const socket = response.webSocket!
  const greeting = new Promise((resolve) => socket.addEventListener('message', (event) => resolve(event.data)))
  socket.accept()
  expect(await greeting).toContain('"event":"hello"')
})

test('an unknown path gets 404, and another method of a known path gets 405 with the allowed methods', async () => {
  const wrong = await callNotes('/v1/notes/1', { method: 'PUT' })
  expect(wrong.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  expect(await problemCodeOf(wrong)).toBe('method_not_allowed')
  const gone = await callNotes('/v1/notes', { method: 'DELETE' })
  expect(gone.headers.get('allow')).toBe('POST, OPTIONS')
  expect(await problemCodeOf(await callNotes('/v1/nothing', { method: 'DELETE' }))).toBe('not_found')
  expect(await problemCodeOf(await callNotes('/v1/notes/'))).toBe('not_found')
})

test('HEAD returns the headers of GET without a body', async () => {
  const head = await callNotes('/v1/notes/1', { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
  expect(head.headers.get('content-type')).toBe((await callNotes('/v1/notes/1')).headers.get('content-type'))
  expect((await callNotes('/v1/notes', { method: 'HEAD' })).status).toBe(405)
  expect((await callNotes('/v1/nothing', { method: 'HEAD' })).status).toBe(404)
})

test('a preflight allows the headers that clients send, and a response exposes those that they read', async () => {
  const preflight = await callNotes('/v1/notes', {
    method: 'OPTIONS',
    headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' },
  })
  expect(preflight.headers.get('access-control-allow-headers')).toContain('idempotency-key')
  expect(preflight.headers.get('access-control-allow-methods')).toBe('GET,POST,PUT,PATCH,DELETE')
  const allowed = preflight.headers.get('access-control-allow-headers')!.split(',')
  expect(allowed).toEqual(expect.arrayContaining(['range', 'if-range', 'if-none-match']))
  const exposed = (await callNotes('/v1/notes/1')).headers.get('access-control-expose-headers')!.split(',')
  const standard = ['retry-after', 'etag', 'accept-ranges', 'content-range', 'www-authenticate']
  expect(exposed).toEqual(expect.arrayContaining(standard))
})

test('a bad Bearer token is challenged with error="invalid_token", other credentials with plain Bearer', async () => {
  const challengeOf = async (authorization: string) =>
    (await callNotes('/v1/notes/1', { headers: { authorization } })).headers.get('www-authenticate')
  for (const other of ['Basic YTpi', 'Bearertoken', '']) expect(await challengeOf(other)).toBe('Bearer')
  for (const invalid of ['Bearer', 'Bearer x', `bearer ${'x'.repeat(30)}`]) {
    expect(await challengeOf(invalid)).toBe('Bearer error="invalid_token"')
  }
})

test('a valid request id is kept, and an invalid one is replaced', async () => {
  const idFor = async (id: string) =>
    (await callNotes('/v1/notes/1', { headers: { 'x-request-id': id } })).headers.get('x-request-id')
  expect(await idFor('abc-123_X')).toBe('abc-123_X')
  for (const bad of ['a b', 'a"b', 'x'.repeat(65), '<script>', 'é']) expect(await idFor(bad)).toMatch(/^[0-9a-f-]{36}$/)
})

test('a client is identified by CF-Connecting-IP alone, and all addresses of an IPv6 /64 are one client', async () => {
  const remaining = async (headers: Record<string, string>) => {
    const { headers: answered } = await callNotes('/v1/notes/1', { headers })
    return Number(/r=(\d+)/.exec(answered.get('ratelimit')!)![1])
  }
  const from = (address: string, more: Record<string, string> = {}) =>
    remaining({ 'cf-connecting-ip': address, ...more })
  expect(await from('198.51.100.1')).toBe(299)
  expect(await from('198.51.100.1', { 'x-forwarded-for': '203.0.113.9', 'x-real-ip': '203.0.113.9' })).toBe(298)
  expect(await from('198.51.100.2')).toBe(299)
  expect(await from('2001:db8::a:b:c:d')).toBe(299)
  expect(await from('2001:db8::1')).toBe(298)
  expect(await from('2001:db8:0:0:ffff::')).toBe(297)
  expect(await from('2001:db8:0:1::1')).toBe(299)
  expect(await from('::ffff:198.51.100.2')).toBe(298)
})

test('a rate-limited response has the headers of the limit that was exceeded', async () => {
  const response = await callNotes('/v1/limited')
  expect(response.headers.get('ratelimit')).toBe('"login";r=0;t=9')
  expect(response.headers.get('retry-after')).toBe('9')
})

test('each request logs one line with its id, route and cost, and without its query parameters', async () => {
  await callNotes('/v1/notes/1?ticket=hush', { headers: { 'x-request-id': 'mine', authorization: '' } }).catch(() => {})
  await callNotes('/v1/stored?ticket=hush', { headers: { 'x-request-id': 'mine' } })
  expect(logLines.filter((line) => line.message === 'request')).toHaveLength(2)
  expect(logLines.at(-1)).toMatchObject({
    requestId: 'mine',
    method: 'GET',
    route: '/v1/stored',
    status: 200,
    trips: 1,
  })
  expect(JSON.stringify(logLines)).not.toContain('hush')
})

test('the X-Cost header is sent only in development, because it reveals hidden data', async () => {
  const deployed = { ...env, BASE_URL: 'https://social.org', PASSWORD_HASH_MEMORY_KIB: undefined }
  const costShownIn = async (ENVIRONMENT: string) => {
    const answer = await callNotes('/v1/notes/1', {}, { ...deployed, ENVIRONMENT })
    return [answer.status, answer.headers.has('x-cost')]
  }
  expect(await costShownIn('development')).toEqual([200, true])
  for (const environment of ['staging', 'production']) expect(await costShownIn(environment)).toEqual([200, false])
})

test('each request writes one data point, and a failing Analytics Engine does not fail the request', async () => {
  const writeDataPoint = vi.fn()
  expect((await callNotes('/v1/notes/1', {}, { ...env, METRICS: { writeDataPoint } })).status).toBe(200)
  expect(writeDataPoint).toHaveBeenCalledOnce()
  const [point] = writeDataPoint.mock.calls[0]!
  expect(point).toMatchObject({ indexes: ['/v1/notes/:id'], blobs: ['/v1/notes/:id', 'GET'] })
  expect(point.doubles[0]).toBe(200)
  writeDataPoint.mockImplementation(() => {
    throw new Error('down')
  })
  expect((await callNotes('/v1/notes/1', {}, { ...env, METRICS: { writeDataPoint } })).status).toBe(200)
})

test('the response to a write has the bookmark of the write and the bookmarks that the client sent', async () => {
  const written = (await callNotes('/v1/stored', { method: 'PUT' })).headers.get('x-bookmarks')
  expect(written).toMatch(/^0=[0-9a-f-]+$/)
  const sent = written!.replace('0=', '1=')
  const next = await callNotes('/v1/stored', { method: 'PUT', headers: { 'x-bookmarks': sent } })
  expect(next.headers.get('x-bookmarks')!.split(';')).toEqual([sent, expect.stringMatching(/^0=/)])
  expect((await postNote('{}')).headers.has('x-bookmarks')).toBe(false)
})

test('the response to a read or refused write has no X-Bookmarks, which would reveal the databases used', async () => {
  const headers = { 'x-bookmarks': (await callNotes('/v1/stored', { method: 'PUT' })).headers.get('x-bookmarks')! }
  for (const [method, status] of [
    ['GET', 200],
    ['HEAD', 200],
    ['DELETE', 409],
  ] as const) {
    const response = await callNotes('/v1/stored', { method, headers })
    expect([method, response.status, response.headers.has('x-bookmarks')]).toEqual([method, status, false])
  }
})
