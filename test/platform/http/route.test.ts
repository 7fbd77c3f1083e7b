import { env } from 'cloudflare:workers'
import { z } from '@hono/zod-openapi'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openApiDocument } from '../../../src/platform/http/openapi.ts'
import { route, routes } from '../../../src/platform/http/route.ts'
import { newViewer, smallApp } from '../../support/edge.ts'

const Thing = z.strictObject({ text: z.string().max(5) }).openapi('Thing')
const reached = vi.fn()
const things = routes()
  .openapi(
    route({
      id: 'writeThing',
      method: 'post',
      path: '/things/{thingId}',
      access: 'user',
      scope: 'posts:write',
      params: z.object({ thingId: z.string().regex(/^\d+$/) }),
      query: z.strictObject({ limit: z.coerce.number().int().max(9).optional() }),
      body: Thing,
      example: { text: 'hello' },
      returns: Thing,
      status: 201,
      idempotent: true,
      fails: ['conflict'],
      summary: 'Write a thing',
    }),
    async (c) => {
      reached(c.var.ctx.viewer.id, c.var.ctx.idempotencyKey, c.req.valid('query').limit)
      return c.json(c.req.valid('json'), 201)
    },
  )
  .openapi(
    route({
      id: 'login',
      method: 'post',
      path: '/login',
      access: 'public',
      limit: 'login',
      returns: null,
      status: 204,
      summary: 'Log in',
    }),
    async (c) => c.body(null, 204),
  )
  .openapi(
    route({
      id: 'rule',
      method: 'put',
      path: '/rules',
      access: 'moderator',
      returns: null,
      status: 204,
      summary: 'Rule',
    }),
    async (c) => c.body(null, 204),
  )
  .openapi(
    route({
      id: 'upload',
      method: 'post',
      path: '/files',
      access: 'public',
      body: z.object({ alt: z.string().max(9) }),
      bodyType: 'multipart/form-data',
      returns: null,
      status: 204,
      summary: 'Upload',
    }),
    async (c) => {
      reached(c.req.valid('form').alt)
      return c.body(null, 204)
    },
  )
  .openapi(
    route({
      id: 'find',
      method: 'get',
      path: '/found',
      access: 'public',
      scope: 'posts:read',
      returns: z.object({ thing: Thing.nullable().openapi({ description: 'If there is one' }) }).openapi('Found'),
      summary: 'Find',
    }),
    async (c) => c.json({ thing: null }, 200),
  )
const { app, call } = smallApp(things)

let ada = newViewer()

beforeEach(() => {
  ada = newViewer({ scopes: new Set(['posts:write']) })
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

test('a request that keeps the contract reaches its handler with what it said', async () => {
  const response = await write({ text: 'hello' }, { 'idempotency-key': 'k' }, '/v1/things/5?limit=3')
  expect([response.status, await response.json()]).toEqual([201, { text: 'hello' }])
  expect(reached).toHaveBeenCalledExactlyOnceWith(ada.id, 'k', 3)
})

test('what breaks the contract is refused field by field, and never reaches the handler', async () => {
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

test('a path that names nothing possible is simply not there', async () => {
  expect(await codeOf(await write({ text: 'x' }, {}, '/v1/things/abc'))).toBe('not_found')
})

test('an Idempotency-Key has 1 to 255 characters', async () => {
  const longest = 'k'.repeat(255)
  expect((await write({ text: 'x' }, { 'idempotency-key': longest }, '/v1/things/5?limit=3')).status).toBe(201)
  expect(reached).toHaveBeenLastCalledWith(ada.id, longest, 3)
  expect(await codeOf(await write({ text: 'x' }, { 'idempotency-key': 'k'.repeat(256) }))).toBe('invalid')
  expect(await codeOf(await write({ text: 'x' }, { 'idempotency-key': '' }))).toBe('invalid')
})

test('who may not is told so before anything of the request is looked at', async () => {
  const anonymous = await call(null, '/v1/things/abc', { method: 'POST', body: 'x' })
  expect(anonymous.headers.get('www-authenticate')).toContain('Bearer')
  expect(await codeOf(anonymous)).toBe('unauthorized')
  expect(await codeOf(await call({ ...ada, scopes: new Set() }, '/v1/things/5', json({})))).toBe('insufficient_scope')
  expect(await codeOf(await call(ada, '/v1/rules', { method: 'PUT' }))).toBe('forbidden')
  expect((await call({ ...ada, role: 'moderator' }, '/v1/rules', { method: 'PUT' })).status).toBe(204)
  expect(reached).not.toHaveBeenCalled()
})

test('a suspended account is let in nowhere, and an ended login is over', async () => {
  await env.LIMITER.getByName(`user:${ada.id}`).setSuspended(true)
  expect(await codeOf(await write({ text: 'x' }))).toBe('suspended')
  const bob = newViewer()
  await env.LIMITER.getByName(`user:${bob.id}`).endSession('login 1')
  expect(await codeOf(await call(bob, '/v1/login', { method: 'POST' }))).toBe('unauthorized')
  expect((await call({ ...bob, sessionId: 'login 2' }, '/v1/login', { method: 'POST' })).status).toBe(204)
})

test('an account has its requests counted over all routes, refused ones too, and learns what is left', async () => {
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

test('a route with a limit of its own counts by the address that asks', async () => {
  const from = (address: string) =>
    call(null, '/v1/login', { method: 'POST', headers: { 'cf-connecting-ip': address } })
  for (let i = 0; i < 10; i++) expect((await from('198.51.100.7')).status).toBe(204)
  const refused = await from('198.51.100.7')
  expect(refused.headers.get('ratelimit-policy')).toBe('"login";q=10;w=300')
  expect(await codeOf(refused)).toBe('rate_limited')
  expect((await from('198.51.100.8')).status).toBe(204)
})

test('a form is checked as JSON is, and JSON is no form', async () => {
  const form = new FormData()
  form.set('alt', 'a cat')
  expect((await call(null, '/v1/files', { method: 'POST', body: form })).status).toBe(204)
  expect(reached).toHaveBeenCalledExactlyOnceWith('a cat')
  form.set('alt', 'much too long')
  expect(await codeOf(await call(null, '/v1/files', { method: 'POST', body: form }))).toBe('invalid')
  expect(await codeOf(await call(null, '/v1/files', json({ alt: 'a cat' })))).toBe('unsupported_media_type')
})

test('a form is one however its header is written, as Java writes it too', async () => {
  const body = '--b\r\nContent-Disposition: form-data; name="alt"\r\n\r\na cat\r\n--b--\r\n'
  for (const parameters of ['boundary=b', 'boundary="b";charset=UTF-8', 'charset=UTF-8; boundary=b', ' boundary=b;']) {
    const headers = { 'content-type': `multipart/form-data;${parameters}` }
    const { status } = await call(null, '/v1/files', { method: 'POST', headers, body })
    expect({ parameters, status }).toEqual({ parameters, status: 204 })
  }
})

test('the compiler asks for an example of each JSON body, and that it keep the schema', () => {
  const given = { id: 'a', method: 'post', path: '/a', access: 'public', returns: null, summary: 'A' } as const
  // @ts-expect-error There is none.
  expect(route({ ...given, body: Thing }).method).toBe('post')
  // @ts-expect-error A text is no number.
  expect(route({ ...given, body: Thing, example: { text: 5 } }).method).toBe('post')
  expect(route({ ...given, body: Thing, bodyType: 'multipart/form-data' }).method).toBe('post')
})

test('the document tells of each operation who may call it, what it takes and how it may fail', () => {
  const prose = { conventions: 'How all is done', descriptions: { writeThing: 'How it is written' } }
  type Operation = Record<string, unknown> & { responses: Record<string, { content?: object; description: string }> }
  const document = openApiDocument(app, prose) as {
    openapi: string
    info: { description: string }
    paths: Record<string, Record<string, Operation>>
    components: { schemas: Record<string, object> }
  }
  expect(document.info.description).toBe('How all is done')
  const operation = document.paths['/v1/things/{thingId}']!.post!
  expect(document.openapi).toBe('3.1.0')
  expect(operation).toMatchObject({
    operationId: 'writeThing',
    description: 'How it is written',
    'x-access': 'user',
    'x-scope': 'posts:write',
    'x-idempotent': true,
    security: [{ bearer: ['posts:write'] }],
  })
  expect(Object.keys(operation.responses)).toEqual([
    '201',
    '400',
    '401',
    '403',
    '404',
    '409',
    '413',
    '415',
    '422',
    '429',
    '500',
    '503',
  ])
  expect(operation.requestBody).toMatchObject({ content: { 'application/json': { example: { text: 'hello' } } } })
  expect(operation.responses['403']!.description).toBe('suspended, insufficient_scope')
  expect(Object.keys(operation.responses['422']!.content!)).toEqual(['application/problem+json'])
  expect(document.paths['/v1/login']!.post).toMatchObject({ 'x-access': 'public', 'x-limit': 'login', security: [] })
  expect(document.paths['/v1/found']!.get!.security).toEqual([{ bearer: ['posts:read'] }, {}])
  const thing = { anyOf: [{ $ref: '#/components/schemas/Thing' }, { type: 'null' }], description: 'If there is one' }
  expect(document.components.schemas.Found).toMatchObject({ properties: { thing } })
  expect(openApiDocument(app, prose)).toBe(document)
})
