import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import { pageOf } from '../../../src/platform/data/page.ts'
import { Failure } from '../../../src/platform/failures.ts'
import { openApiDocument } from '../../../src/platform/http/openapi.ts'
import { operation, responder } from '../../../src/platform/http/operation.ts'
import { services } from '../../../src/registry.ts'
import { smallApp } from '../../support/edge.ts'

const YEAR_MS = 365 * 24 * 3_600_000
const deprecated = { since: '2026-12-01', sunset: '2028-01-31', link: 'https://social.example/docs/v2' }
const common = { access: 'public', deprecated, summary: 'Read old things' } as const

const old = [
  operation({
    ...common,
    id: 'listOldThings',
    method: 'get',
    path: '/old',
    returns: pageOf('OldThing', z.string()),
    run: () => ({ items: [], nextCursor: 'next', previousCursor: null }),
  }),
  operation({ ...common, id: 'endOldThing', method: 'delete', path: '/old', returns: null, run: () => {} }),
  responder({
    ...common,
    id: 'streamOldThing',
    method: 'get',
    path: '/old/file',
    respond: async () => new Response('old'),
  }),
  operation({
    ...common,
    id: 'refuseOldThing',
    method: 'get',
    path: '/old/refused',
    returns: null,
    run: () => Promise.reject(new Failure('conflict')),
  }),
]
const { call } = smallApp(old)

test.each([
  ['a list', 'GET', '/v1/old', 200],
  ['an empty response', 'DELETE', '/v1/old', 204],
  ['a stream', 'GET', '/v1/old/file', 200],
])(
  '%s of a deprecated operation says since when, until when, and what to use instead',
  async (_, method, path, status) => {
    const response = await call(null, path, { method })
    expect(response.status).toBe(status)
    expect(response.headers.get('deprecation')).toBe('@1796083200')
    expect(new Date(1_796_083_200_000).toISOString()).toBe('2026-12-01T00:00:00.000Z')
    expect(response.headers.get('sunset')).toBe('Mon, 31 Jan 2028 00:00:00 GMT')
    expect(response.headers.get('link')).toContain('<https://social.example/docs/v2>; rel="deprecation"')
  },
)

test('the links of a page stay, a failure announces nothing, and pages of other origins may read the headers', async () => {
  const { headers } = await call(null, '/v1/old')
  expect(headers.get('link')).toMatch(/rel="next".*rel="deprecation"/)
  expect(headers.get('access-control-expose-headers')).toContain('deprecation,sunset')
  const refused = await call(null, '/v1/old/refused')
  expect([refused.status, refused.headers.get('deprecation'), refused.headers.get('sunset')]).toEqual([409, null, null])
})

test('the OpenAPI document marks a deprecated operation, and declares its headers', () => {
  const service = { name: 'old', about: 'Old things', mount: '/v1', operations: old }
  const { paths } = openApiDocument([service], '') as object as { paths: Record<string, Record<string, object>> }
  expect(paths['/v1/old']!.get).toMatchObject({
    deprecated: true,
    'x-sunset': '2028-01-31',
    description: expect.stringMatching(/^Deprecated since 2026-12-01, and ends on 2028-01-31\./),
    responses: { 200: { headers: { Deprecation: { required: true }, Sunset: { required: true }, Link: {} } } },
  })
})

test('every deprecated operation ends a year after its announcement at the earliest, and says what to use instead', () => {
  const announced = [...old, ...services.flatMap(({ operations }) => operations)].flatMap(({ id, deprecated }) =>
    deprecated ? [{ id, ...deprecated }] : [],
  )
  expect(announced.length).toBeGreaterThan(0)
  expect(announced.filter(({ since, sunset }) => !(Date.parse(sunset) - Date.parse(since) >= YEAR_MS))).toEqual([])
  expect(announced.filter(({ link }) => !URL.canParse(link))).toEqual([])
})
