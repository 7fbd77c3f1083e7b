import type { z } from '@hono/zod-openapi'
import { printSchema } from 'graphql'
import { expect, test } from 'vitest'
import { app } from '../../src/app.ts'
import { toId } from '../../src/platform/data/ids.ts'
import { channels, services } from '../../src/registry.ts'
import { schemaOf } from '../../src/surfaces/graphql/schema.ts'
import { accessDocument } from '../support/access-document.ts'
import { sockets } from '../support/frames.ts'
import { inventoryDocument } from '../support/inventory.ts'
import { call } from './calls.ts'
import { examples } from './examples.ts'
import { document, operations, resolved, type Schema } from './operations.ts'
import type { Target } from './targets.ts'

const withBody = operations.filter(({ body }) => body?.type === 'application/json')

test('the OpenAPI document equals the committed contract', async () => {
  const text = `${JSON.stringify(document, null, 2)}\n`
  const changed = 'The contract has changed. If that is intended, run: npm test -- contract --update'
  await expect(text, changed).toMatchFileSnapshot('../contract/openapi.json')
})

test('the AsyncAPI document equals the committed contract', async () => {
  const text = `${JSON.stringify(sockets, null, 2)}\n`
  const changed = 'The contract has changed. If that is intended, run: npm test -- contract --update'
  await expect(text, changed).toMatchFileSnapshot('../contract/asyncapi.json')
})

test('the GraphQL schema equals the committed contract', async () => {
  const changed = 'The schema has changed. If that is intended, run: npm test -- contract --update'
  await expect(`${printSchema(schemaOf({ services, channels }))}\n`, changed).toMatchFileSnapshot(
    '../contract/schema.graphql',
  )
})

test('the inventory of personal data in the documentation equals the declarations of the services', async () => {
  const changed = 'The inventory has changed. If that is intended, run: npm test -- contract --update'
  await expect(inventoryDocument(), changed).toMatchFileSnapshot('../../docs/personal-data.md')
})

test('the table of actions and roles in the documentation equals the declarations of the services', async () => {
  const changed = 'The actions have changed. If that is intended, run: npm test -- contract --update'
  await expect(accessDocument(), changed).toMatchFileSnapshot('../../docs/access.md')
})

test('every route is in the OpenAPI document, except for the socket, GraphQL, health checks, pages about errors, the documents, and what the metadata of the authorization server name', async () => {
  const documents = ['GET /openapi.json', 'GET /asyncapi.json', 'GET /errors', 'GET /errors/:code']
  const excluded = ['GET /healthz', 'GET /readyz', ...documents]
  const others = ['GET /graphql', 'POST /graphql']
  const isOurs = ({ method, path }: { method: string; path: string }) =>
    method !== 'ALL' && !/^\/(auth|\.well-known)\//.test(path)
  const routes = app.routes.filter(isOurs).map(({ method, path }) => `${method} ${path}`)
  const described = operations.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`)
  expect([...new Set(routes)].sort()).toEqual([...described, ...excluded, ...others].sort())
  expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length)
  for (const path of excluded.map((route) => route.split(' ')[1]!)) {
    expect((await call({ method: 'GET', path: path.replace(':code', 'not_found') })).status).toBe(200)
  }
})

/** A schema and all schemas inside it, each with its path. */
function nested(schema: Schema, path: string): [string, Schema][] {
  const here = resolved(schema)
  const fields = Object.entries(here.properties ?? {}).flatMap(([name, field]) => nested(field, `${path}.${name}`))
  const items = here.items ? nested(here.items, `${path}[]`) : []
  const choices = ((here.anyOf ?? here.oneOf ?? here.allOf ?? []) as Schema[]).flatMap((choice) => nested(choice, path))
  return [[path, here], ...fields, ...items, ...choices]
}

test('every input is bounded: strings in length, arrays in items, and objects to the declared fields', () => {
  const inputs = operations.flatMap(({ id, body, parameters }) => [
    ...(body ? nested(body.schema, id) : []),
    ...parameters.flatMap((parameter) => nested(parameter.schema, `${id}?${parameter.name}`)),
  ])
  const unbounded = inputs.filter(([, { type, maxLength, maxItems, additionalProperties, ...schema }]) => {
    if (type === 'string') return maxLength === undefined && !schema.enum && schema.format !== 'binary'
    if (type === 'array') return maxItems === undefined
    return type === 'object' ? additionalProperties !== false : type !== 'integer' && type !== 'boolean'
  })
  expect(unbounded.map(([path]) => path)).toEqual([])
})

test('no two path templates match the same path', () => {
  const templates = Object.keys(document.paths).filter((path) => path.includes('{'))
  const segments = (path: string) => path.split('/')
  const overlap = (one: string[], other: string[]) =>
    one.length === other.length &&
    one.every((segment, i) => segment === other[i] || segment.startsWith('{') || other[i]!.startsWith('{'))
  const ambiguous = templates.flatMap((one, i) =>
    templates.slice(i + 1).flatMap((other) => (overlap(segments(one), segments(other)) ? [[one, other]] : [])),
  )
  expect(ambiguous).toEqual([])
})

test('a field or parameter with a default may be omitted, and every other field of a response is present', () => {
  const requests = operations.flatMap(({ id, body }) => (body ? nested(body.schema, id) : []))
  const defaulted = requests.flatMap(([path, { properties = {}, required = [] }]) =>
    required
      .filter((name) => properties[name] && 'default' in resolved(properties[name]))
      .map((name) => `${path}.${name}`),
  )
  const parameters = operations.flatMap(({ id, parameters }) =>
    parameters.filter(({ required, schema }) => required && 'default' in schema).map(({ name }) => `${id}?${name}`),
  )
  expect([...defaulted, ...parameters]).toEqual([])
  const responses = operations.flatMap(({ id, responses }) =>
    Object.values(responses).flatMap(({ content = {} }) =>
      Object.values(content).flatMap(({ schema }) => nested(schema, id)),
    ),
  )
  const optional = responses.flatMap(([, { properties = {}, required = [] }]) =>
    Object.keys(properties).filter((name) => !required.includes(name)),
  )
  const known = [
    'detail',
    'errors',
    'registration',
    'registrationToken',
    'secondFactor',
    'suspended',
    'deletionCancelled',
  ]
  expect(new Set(optional)).toEqual(new Set(known))
})

test('every password has at most 128 characters', () => {
  const passwords = operations.flatMap(({ id, body }) =>
    (body ? nested(body.schema, id) : []).filter(([path]) => /\.\w*password$/i.test(path)),
  )
  expect(passwords.length).toBeGreaterThan(2)
  expect(new Set(passwords.map(([, { maxLength }]) => maxLength))).toEqual(new Set([128]))
})

test('the seconds until something expires are always called `expiresIn`', () => {
  const names = Object.values(document.components.schemas).flatMap((schema) =>
    nested(schema, '').flatMap(([, { properties = {} }]) =>
      Object.keys(properties).filter((name) => properties[name]!.type === 'integer'),
    ),
  )
  expect(new Set(names.filter((name) => /expir|ttl|lifetime|seconds/i.test(name)))).toEqual(new Set(['expiresIn']))
})

test('no allOf of the OpenAPI document contains a nullable schema', () => {
  const nullable = (schema: Schema) => [schema.type].flat().includes('null')
  const contradictory = (schema: unknown): unknown[] => {
    if (typeof schema !== 'object' || schema === null) return []
    const all = ((schema as Schema).allOf ?? []) as Schema[]
    return [...(all.some(nullable) ? [schema] : []), ...Object.values(schema).flatMap(contradictory)]
  }
  expect(contradictory(document)).toEqual([])
})

test('the description in the OpenAPI document names every custom header and extension field', async () => {
  const answer = await call({ method: 'GET', path: '/v1/limits' })
  const preflight = await call({ method: 'OPTIONS', path: '/v1/limits' })
  const exposed = answer.headers.get('access-control-expose-headers')!.split(',')
  const allowed = preflight.headers.get('access-control-allow-headers')!.split(',')
  const extensions = Object.values(document.paths).flatMap((methods) => Object.values(methods).flatMap(Object.keys))
  const custom = new Set([...exposed, ...allowed, ...extensions.filter((name) => name.startsWith('x-'))])
  for (const name of ['authorization', 'content-type']) custom.delete(name)
  const prose = document.info.description.toLowerCase()
  expect([...custom].filter((name) => !new RegExp(`\`${name}[:\`]`).test(prose))).toEqual([])
})

/** The schema that parses the JSON body of an operation. */
function parserOf(id: string): z.ZodType {
  const found = services.flatMap((service) => service.operations).find((operation) => operation.id === id)
  return found!.body!
}

test('every DELETE returns 204, but 202 if it takes days; a PUT with a DELETE returns its target if, and only if, that must be visible', () => {
  const deletions = operations.filter(({ method }) => method === 'DELETE')
  expect(deletions.filter(({ success }) => success !== 204).map(({ id, success }) => [id, success])).toEqual([
    ['deleteAccount', 202],
  ])
  const paths = new Set(deletions.map(({ path }) => path))
  const switches = operations.filter(({ method, path }) => method === 'PUT' && paths.has(path))
  const target: Target = { kind: 'post', state: 'public', ownerId: toId(1), parameter: '2' }
  const isOwn = (path: string) => !path.includes('{')
  const mustSee = (id: string) => examples[id]!.rule!('blocked', target) === 'not_found'
  expect(switches.map(({ id, success }) => [id, success])).toEqual(
    switches.map(({ id, path }) => [id, isOwn(path) || mustSee(id) ? 200 : 204]),
  )
  expect(new Set(switches.map(({ success }) => success))).toEqual(new Set([200, 204]))
})

test('every JSON body in the OpenAPI document has an example that is valid and not empty', () => {
  for (const { id, body } of withBody) {
    const example = body!.example as object
    expect({ id, ...parserOf(id).safeParse(example) }).toMatchObject({ id, success: true })
    expect({ id, fields: Object.keys(example).length > 0 }).toEqual({ id, fields: true })
  }
})
