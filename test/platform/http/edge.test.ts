import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { OpenAPIHono, z } from '@hono/zod-openapi'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { authentication, edge, edgeFallbacks } from '../../../src/platform/http/edge.ts'
import { Failure } from '../../../src/platform/http/errors.ts'
import { type AppEnv, route, routes } from '../../../src/platform/http/route.ts'
import { healthRoutes } from '../../../src/platform/observability/health.ts'

const Note = z.strictObject({ text: z.string().max(200_000).optional(), more: z.unknown().optional() }).openapi('Note')
const answer = { access: 'public', returns: Note, summary: 'A note' } as const
const reached = vi.fn()

const notes = routes()
  .openapi(
    route({ ...answer, id: 'writeNote', method: 'post', path: '/notes', body: Note, example: { text: 'hello' } }),
    async (c) => {
      reached()
      return c.json(c.req.valid('json'), 200)
    },
  )
  .openapi(
    route({
      ...answer,
      id: 'readNote',
      method: 'get',
      path: '/notes/{id}',
      params: z.object({ id: z.string().max(9) }),
    }),
    async (c) => c.json({ text: c.req.valid('param').id }, 200),
  )
  .openapi(route({ ...answer, id: 'failNote', method: 'get', path: '/failing' }), async () => {
    throw new Error('a secret of the inside')
  })
  .openapi(route({ ...answer, id: 'limitNote', method: 'get', path: '/limited' }), async () => {
    throw new Failure('rate_limited', undefined, { headers: { ratelimit: '"login";r=0;t=9', 'retry-after': '9' } })
  })
  .openapi(route({ ...answer, id: 'queryNote', method: 'get', path: '/stored' }), async (c) => {
    await c.var.ctx.db.shard(0).run('select 1')
    return c.json({}, 200)
  })
  .openapi(route({ ...answer, id: 'storeNote', method: 'put', path: '/stored' }), async (c) => {
    await c.var.ctx.db.shard(0).run('select 1')
    return c.json({}, 200)
  })
  .openapi(route({ ...answer, id: 'refuseNote', method: 'delete', path: '/stored' }), async (c) => {
    await c.var.ctx.db.shard(0).run('select 1')
    throw new Failure('conflict')
  })

const app = new OpenAPIHono<AppEnv>()
app.use(...edge)
app.route('/', healthRoutes)
app.use(
  '/v1/*',
  authentication(
    async () => ({ keys: [] }),
    async () => ({ suspended: false, notBefore: 0, endedSessions: [] }),
  ),
)
app.route('/v1', notes)
app.get('/v1/hub', async (c) => {
  const opening = JSON.stringify({
    accountId: '512',
    sessionId: 's',
    issuedAt: Date.now(),
    channels: ['home'],
    since: null,
  })
  const headers = { upgrade: 'websocket', opening }
  return new Response(null, await env.HUB.getByName(c.req.query('name')!).fetch('https://hub/', { headers }))
})
edgeFallbacks(app)

const lines: Record<string, unknown>[] = []
let client = 0

beforeEach(() => {
  lines.length = 0
  client += 1
  reached.mockReset()
  vi.spyOn(console, 'log').mockImplementation((line: string) => lines.push(JSON.parse(line)))
})
afterEach(() => vi.restoreAllMocks())

async function call(path: string, init: RequestInit = {}, bindings: object = env): Promise<Response> {
  const ctx = createExecutionContext()
  const headers = new Headers(init.headers)
  if (!headers.has('cf-connecting-ip')) headers.set('cf-connecting-ip', `192.0.2.${client}`)
  const response = await app.fetch(new Request(`https://social.test${path}`, { ...init, headers }), bindings, ctx)
  await waitOnExecutionContext(ctx)
  return response
}

function post(body: BodyInit | null, headers: Record<string, string> = {}): Promise<Response> {
  return call('/v1/notes', { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
}

async function codeOf(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  const problem = await response.json<{ status: number; code: string }>()
  expect(problem.status).toBe(response.status)
  return problem.code
}

/** `size` bytes that arrive in pieces, with no length given; counts what was taken of them. */
function stream(size: number) {
  const piece = new Uint8Array(64 * 1024).fill(120)
  const taken = { bytes: 0 }
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (taken.bytes >= size) return controller.close()
      taken.bytes += piece.length
      controller.enqueue(piece)
    },
  })
  return { body, taken }
}

const everyKind: [string, string, RequestInit?][] = [
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

test.each(everyKind)('%s of %s carries every header that guards a browser', async (status, path, init) => {
  const response = await call(path, init)
  expect(response.status).toBe(Number(status))
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'strict-transport-security': 'max-age=63072000; includeSubDomains; preload',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cache-control': 'private, no-store',
    'access-control-allow-origin': '*',
    'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
  expect(response.headers.has('access-control-allow-credentials')).toBe(false)
  if (response.status >= 400) await codeOf(response)
})

test('a failure of ours says nothing of the inside, and the log says what it was', async () => {
  const response = await call('/v1/failing')
  expect(await response.text()).not.toContain('secret')
  expect(lines.find((line) => line.message === 'a request failed')).toMatchObject({
    level: 'error',
    route: '/v1/failing',
    error: { message: 'a secret of the inside' },
  })
})

test('an upgrade to a WebSocket keeps its socket and gets the headers', async () => {
  const response = await call('/v1/hub?name=upgrade', { headers: { upgrade: 'websocket' } })
  expect(response.status).toBe(101)
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  const socket = response.webSocket!
  const greeting = new Promise((resolve) => socket.addEventListener('message', (event) => resolve(event.data)))
  socket.accept()
  expect(await greeting).toContain('"event":"hello"')
})

test('a body is counted as it streams in, and no more of it is taken than allowed', async () => {
  for (const [type, limit] of [
    ['application/json', 256 * 1024],
    ['multipart/form-data; boundary=b', 12 * 1024 * 1024],
  ] as const) {
    const { body, taken } = stream(13 * 1024 * 1024)
    const response = await post(body, { 'content-type': type })
    expect(await codeOf(response)).toBe('too_large')
    expect(taken.bytes).toBeLessThanOrEqual(limit + 256 * 1024)
  }
  expect(reached).not.toHaveBeenCalled()
})

test('a body just within the limit passes, streamed or not', async () => {
  const text = JSON.stringify({ text: 'x'.repeat(200_000) })
  expect((await post(text)).status).toBe(200)
  expect((await post(new Blob([text]).stream())).status).toBe(200)
})

test('a body of another kind never reaches a handler of JSON', async () => {
  const form = new FormData()
  form.set('text', 'x')
  const bodies: [BodyInit, Record<string, string>][] = [
    ['{"text":"x"}', { 'content-type': 'text/plain' }],
    ['{"text":"x"}', { 'content-type': 'text/plain; x=application/json' }],
    ['{"text":"x"}', { 'content-type': 'application/jsonx' }],
    ['{"text":"x"}', { 'content-type': 'text/json' }],
    ['text=x', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['{"text":"x"}', { 'content-type': '' }],
    ['{"text":"x"}', { 'content-encoding': 'gzip' }],
    ['{"text":"x"}', { 'content-encoding': 'identity, gzip' }],
  ]
  for (const [body, headers] of bodies) expect(await codeOf(await post(body, headers))).toBe('unsupported_media_type')
  const asForm = await call('/v1/notes', { method: 'POST', body: form })
  expect(await codeOf(asForm)).toBe('unsupported_media_type')
  expect(reached).not.toHaveBeenCalled()
})

test('a kind of content is known however its parameters are written', async () => {
  const kinds = ['application/json;', 'application/json ; charset=utf-8', 'Application/JSON; charset="utf-8"; v=1']
  for (const kind of kinds) expect((await post('{"text":"x"}', { 'content-type': kind })).status).toBe(200)
  expect((await post('{"text":"x"}', { 'content-type': 'text/plain; v=1; x=application/json' })).status).toBe(415)
})

test('JSON that is malformed or nested beyond reason is refused as such', async () => {
  const nested = (depth: number) => `{"more":${'['.repeat(depth)}${']'.repeat(depth)}}`
  for (const body of ['', '{', '[1,', '{"text":"x"', '"', nested(16), nested(100_000), '['.repeat(200_000)]) {
    expect(await codeOf(await post(body))).toBe('bad_request')
  }
  expect(await codeOf(await post(nested(16), { 'content-type': 'application/vnd.api+json' }))).toBe('bad_request')
  expect(reached).not.toHaveBeenCalled()
  for (const body of [
    nested(15),
    JSON.stringify({ text: '[{"\\'.repeat(1_000) }),
    '{"text":"\\"[[[[[[[[[[[[[[[[[[[["}',
  ]) {
    expect((await post(body)).status).toBe(200)
  }
})

test('JSON that is no UTF-8 is refused, for it could be kept only mangled; a mark in front of it is skipped', async () => {
  const bytes = (...parts: (string | number[])[]) =>
    new Blob(parts.map((part) => (typeof part === 'string' ? part : new Uint8Array(part)))).arrayBuffer()
  for (const part of [[0xe9], [0xc3], [0xed, 0xa0, 0x80], [0xff, 0xfe]]) {
    const response = await post(await bytes('{"text":"caf', part, '"}'))
    expect(await response.json()).toMatchObject({ code: 'bad_request', detail: 'JSON must be UTF-8' })
  }
  expect(reached).not.toHaveBeenCalled()
  const whole = await post(await bytes([0xef, 0xbb, 0xbf], '{"text":"caf', [0xc3, 0xa9], ' \ufffd"}'))
  expect(await whole.json()).toEqual({ text: 'café \ufffd' })
})

test('who sends too much, or another kind of content, is told what would do', async () => {
  const detailOf = async (response: Response) => (await response.json<{ detail?: string }>()).detail
  expect(await detailOf(await post('{"text":"x"}', { 'content-type': 'text/plain' }))).toContain('application/json')
  expect(await detailOf(await post('x'.repeat(300_000)))).toBe('A body of JSON may have 262144 bytes')
  const form = { 'content-type': 'multipart/form-data; boundary=b' }
  expect(await detailOf(await post('x'.repeat(13_000_000), form))).toBe('A form may have 12582912 bytes')
})

test('looking for nesting takes no longer for hostile text', async () => {
  const started = performance.now()
  for (const body of ['"\\'.repeat(120_000), '\\"'.repeat(120_000), `"${'\\'.repeat(200_000)}`]) {
    expect(await codeOf(await post(body))).toBe('bad_request')
  }
  expect(performance.now() - started).toBeLessThan(2_000)
})

test('what no route offers is 404, and another method of a route is 405 with those it allows', async () => {
  const wrong = await call('/v1/notes/1', { method: 'PUT' })
  expect(wrong.headers.get('allow')).toBe('GET, HEAD, OPTIONS')
  expect(await codeOf(wrong)).toBe('method_not_allowed')
  const gone = await call('/v1/notes', { method: 'DELETE' })
  expect(gone.headers.get('allow')).toBe('POST, OPTIONS')
  expect(await codeOf(await call('/v1/nothing', { method: 'DELETE' }))).toBe('not_found')
  expect(await codeOf(await call('/v1/notes/'))).toBe('not_found')
})

test('HEAD answers as GET does, without the body', async () => {
  const head = await call('/v1/notes/1', { method: 'HEAD' })
  expect([head.status, await head.text()]).toEqual([200, ''])
  expect(head.headers.get('content-type')).toBe((await call('/v1/notes/1')).headers.get('content-type'))
  expect((await call('/v1/notes', { method: 'HEAD' })).status).toBe(405)
  expect((await call('/v1/nothing', { method: 'HEAD' })).status).toBe(404)
})

test('a preflight allows what clients send and lets them read what we answer', async () => {
  const preflight = await call('/v1/notes', {
    method: 'OPTIONS',
    headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' },
  })
  expect(preflight.headers.get('access-control-allow-headers')).toContain('idempotency-key')
  expect(preflight.headers.get('access-control-allow-methods')).toBe('GET,POST,PUT,PATCH,DELETE')
  const allowed = preflight.headers.get('access-control-allow-headers')!.split(',')
  expect(allowed).toEqual(expect.arrayContaining(['range', 'if-range', 'if-none-match']))
  const exposed = (await call('/v1/notes/1')).headers.get('access-control-expose-headers')!.split(',')
  const standard = ['retry-after', 'etag', 'accept-ranges', 'content-range', 'www-authenticate']
  expect(exposed).toEqual(expect.arrayContaining(standard))
})

test('a token that is none is told so, and whoever brings something else is asked for one', async () => {
  const challengeOf = async (authorization: string) =>
    (await call('/v1/notes/1', { headers: { authorization } })).headers.get('www-authenticate')
  for (const none of ['Basic YTpi', 'Bearertoken', '']) expect(await challengeOf(none)).toBe('Bearer')
  for (const bad of ['Bearer', 'Bearer x', `bearer ${'x'.repeat(30)}`]) {
    expect(await challengeOf(bad)).toBe('Bearer error="invalid_token"')
  }
})

test('a request id is taken over when it is one and replaced when it is not', async () => {
  const idFor = async (id: string) =>
    (await call('/v1/notes/1', { headers: { 'x-request-id': id } })).headers.get('x-request-id')
  expect(await idFor('abc-123_X')).toBe('abc-123_X')
  for (const bad of ['a b', 'a"b', 'x'.repeat(65), '<script>', 'é']) expect(await idFor(bad)).toMatch(/^[0-9a-f-]{36}$/)
})

test('only the address that the network vouches for tells clients apart, and an IPv6 /64 is one', async () => {
  const left = async (headers: Record<string, string>) => {
    const { headers: answered } = await call('/v1/notes/1', { headers })
    return Number(/r=(\d+)/.exec(answered.get('ratelimit')!)![1])
  }
  const from = (address: string, more: Record<string, string> = {}) => left({ 'cf-connecting-ip': address, ...more })
  expect(await from('198.51.100.1')).toBe(299)
  expect(await from('198.51.100.1', { 'x-forwarded-for': '203.0.113.9', 'x-real-ip': '203.0.113.9' })).toBe(298)
  expect(await from('198.51.100.2')).toBe(299)
  expect(await from('2001:db8::a:b:c:d')).toBe(299)
  expect(await from('2001:db8::1')).toBe(298)
  expect(await from('2001:db8:0:0:ffff::')).toBe(297)
  expect(await from('2001:db8:0:1::1')).toBe(299)
})

test('the limit that a request ran into is the one it is told of', async () => {
  const response = await call('/v1/limited')
  expect(response.headers.get('ratelimit')).toBe('"login";r=0;t=9')
  expect(response.headers.get('retry-after')).toBe('9')
})

test('each request writes one line with its id, its route and its cost, and nothing it said', async () => {
  await call('/v1/notes/1?ticket=hush', { headers: { 'x-request-id': 'mine', authorization: '' } }).catch(() => {})
  await call('/v1/stored?ticket=hush', { headers: { 'x-request-id': 'mine' } })
  expect(lines.filter((line) => line.message === 'request')).toHaveLength(2)
  expect(lines.at(-1)).toMatchObject({ requestId: 'mine', method: 'GET', route: '/v1/stored', status: 200, trips: 1 })
  expect(JSON.stringify(lines)).not.toContain('hush')
})

test('what a request cost is told in development alone, for it tells of what is hidden', async () => {
  const deployed = { ...env, BASE_URL: 'https://social.org', PASSWORD_HASH_MEMORY_KIB: undefined }
  const toldIn = async (ENVIRONMENT: string) => {
    const answer = await call('/v1/notes/1', {}, { ...deployed, ENVIRONMENT })
    return [answer.status, answer.headers.has('x-cost')]
  }
  expect(await toldIn('development')).toEqual([200, true])
  for (const environment of ['staging', 'production']) expect(await toldIn(environment)).toEqual([200, false])
})

test('each request is measured once, and a sink that fails harms nobody', async () => {
  const writeDataPoint = vi.fn()
  expect((await call('/v1/notes/1', {}, { ...env, ACTIVITY: { writeDataPoint } })).status).toBe(200)
  expect(writeDataPoint).toHaveBeenCalledOnce()
  const [point] = writeDataPoint.mock.calls[0]!
  expect(point).toMatchObject({ indexes: ['/v1/notes/:id'], blobs: ['/v1/notes/:id', 'GET'] })
  expect(point.doubles[0]).toBe(200)
  writeDataPoint.mockImplementation(() => {
    throw new Error('down')
  })
  expect((await call('/v1/notes/1', {}, { ...env, ACTIVITY: { writeDataPoint } })).status).toBe(200)
})

test('a write is answered with what its client needs to read it, and with what the client brought', async () => {
  const written = (await call('/v1/stored', { method: 'PUT' })).headers.get('x-bookmarks')
  expect(written).toMatch(/^0=[0-9a-f-]+$/)
  const brought = written!.replace('0=', '1=')
  const next = await call('/v1/stored', { method: 'PUT', headers: { 'x-bookmarks': brought } })
  expect(next.headers.get('x-bookmarks')!.split(';')).toEqual([brought, expect.stringMatching(/^0=/)])
  expect((await post('{}')).headers.has('x-bookmarks')).toBe(false)
})

test('what only read, or was refused, does not tell which databases were asked', async () => {
  const headers = { 'x-bookmarks': (await call('/v1/stored', { method: 'PUT' })).headers.get('x-bookmarks')! }
  for (const [method, status] of [
    ['GET', 200],
    ['HEAD', 200],
    ['DELETE', 409],
  ] as const) {
    const response = await call('/v1/stored', { method, headers })
    expect([method, response.status, response.headers.has('x-bookmarks')]).toEqual([method, status, false])
  }
})
