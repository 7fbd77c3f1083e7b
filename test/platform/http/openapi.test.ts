import { expect, test } from 'vitest'
import { openApiDocument } from '../../../src/platform/http/openapi.ts'
import { things } from '../../support/things.ts'

test('the OpenAPI document describes the access, request, responses and failures of an operation', () => {
  type Response = { content?: object; description: string }
  type Operation = Record<string, unknown> & { responses: Record<string, Response> }
  const document = openApiDocument(
    [{ name: 'things', about: 'Things', mount: '/v1', operations: things }],
    'How all is done',
  ) as object as {
    openapi: string
    info: { description: string }
    paths: Record<string, Record<string, Operation>>
    components: { schemas: Record<string, object>; responses: Record<string, Response> }
  }
  expect(document.info.description).toBe('How all is done')
  const operation = document.paths['/v1/things/{thingId}']!.post!
  expect(document.openapi).toBe('3.1.0')
  expect(operation).toMatchObject({
    operationId: 'writeThing',
    description: 'Needs a token with the scope `things:write`. Accepts an `Idempotency-Key`.',
    'x-access': 'user',
    'x-scope': 'things:write',
    'x-idempotent': true,
    security: [{ bearer: [] }],
  })
  expect(Object.keys(operation.responses)).toEqual([
    '201',
    '400',
    '401',
    '403',
    '404',
    '408',
    '409',
    '413',
    '415',
    '422',
    '429',
    '500',
    '503',
  ])
  expect(operation.requestBody).toMatchObject({ content: { 'application/json': { example: { text: 'hello' } } } })
  const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` })
  expect(operation.responses['403']).toEqual(ref('responses', 'suspended-insufficient_scope'))
  expect(document.components.responses['suspended-insufficient_scope']).toMatchObject({
    description: 'suspended, insufficient_scope',
    content: { 'application/problem+json': { schema: ref('schemas', 'Problem') } },
  })
  expect(document.paths['/v1/login']!.post).toMatchObject({ 'x-access': 'public', 'x-limit': 'attempts', security: [] })
  expect(document.paths['/v1/found']!.get!.security).toEqual([{ bearer: [] }, {}])
  const thing = { anyOf: [{ $ref: '#/components/schemas/Thing' }, { type: 'null' }], description: 'If there is one' }
  expect(document.components.schemas.Found).toMatchObject({ properties: { thing } })
  expect(document.paths['/v1/streams/{thingId}']!.get!.responses).toMatchObject({
    200: { content: { 'text/plain': {} } },
    304: { description: 'Not changed' },
  })
  expect(operation.parameters).toContainEqual(ref('parameters', 'Bookmarks'))
  expect(operation.responses['201']).toMatchObject({
    headers: {
      Location: ref('headers', 'Location'),
      'X-Bookmarks': ref('headers', 'X-Bookmarks'),
      'Idempotency-Replayed': ref('headers', 'Idempotency-Replayed'),
      RateLimit: ref('headers', 'RateLimit'),
    },
  })
  expect(document.components.responses.unauthorized).toMatchObject({
    headers: { 'WWW-Authenticate': ref('headers', 'WWW-Authenticate') },
  })
})
