import { expect, test } from 'vitest'
import { declaredScopes } from '../../src/platform/security/scopes.ts'
import { services } from '../../src/registry.ts'
import { BASE_URL } from '../support/client.ts'
import { flawsOf } from '../support/contract.ts'
import { call } from './calls.ts'
import { document, operations, resolved, type Schema } from './operations.ts'

const { schemas, examples } = document.components
const named = Object.entries(schemas)

/** The schemas inside a schema that have no name. */
function unnamed(schema: Schema): Schema[] {
  const parts = [schema.items, ...Object.values(schema.properties ?? {}), ...choicesOf(schema)]
  return parts.flatMap((part) => (!part || part.$ref ? [] : [part, ...unnamed(part)]))
}

const choicesOf = ({ anyOf, oneOf, allOf }: Schema) =>
  [anyOf, oneOf, allOf].flatMap((choices) => (choices ?? []) as Schema[])

test('every successful JSON response has one example, and it has every field that the schema has', () => {
  const wrong = operations.flatMap((operation) => {
    const { id, success, responses } = operation
    const { schema, examples: named } = responses[success]!.content?.['application/json'] ?? {}
    if (!schema) return []
    const [name, ...others] = Object.keys(named ?? {})
    const headers = { 'content-type': 'application/json' }
    const flaws = flawsOf(
      operation,
      new Response(null, { status: success, headers }),
      JSON.stringify(examples[name!]?.value),
    )
    const ofBody = flaws.filter((flaw) => !flaw.startsWith('the header'))
    return others.length === 0 && ofBody.length === 0 ? [] : [{ id, name, ofBody }]
  })
  expect(wrong).toEqual([])
  expect(Object.keys(examples).length).toBeGreaterThan(20)
})

test('objects, enums and unions inside of schemas have names, and no name is nullable', () => {
  const inline = named.flatMap(([name, schema]) =>
    unnamed(schema).flatMap((part) => {
      const isObject = part.properties !== undefined && !schema.allOf
      const isEnum = ((part.enum as unknown[] | undefined)?.length ?? 0) > 1
      return isObject || isEnum || part.oneOf ? [`${name}: ${JSON.stringify(part)}`] : []
    }),
  )
  expect(inline).toEqual([])
  const nullable = named.filter(([, { type, enum: values }]) =>
    [type, values].flat().some((one) => one === 'null' || one === null),
  )
  expect(nullable.map(([name]) => name)).toEqual([])
})

test('the JSON body of every request has a name, which generated clients use', () => {
  const bodies = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.values(item ?? {}).map((each) => [path, each?.requestBody?.content?.['application/json']?.schema] as const),
  )
  const unnamed = bodies.filter(([, schema]) => schema && !('$ref' in schema))
  expect(unnamed.map(([path]) => path)).toEqual([])
})

test('every union of objects has a discriminator that maps each value of its tag to a variant', () => {
  const unions = named.filter(([, { oneOf }]) => oneOf)
  expect(unions.map(([name]) => name)).toEqual(['Entity', 'MessageEntity'])
  for (const [, { oneOf, discriminator }] of unions) {
    const { propertyName, mapping } = discriminator as { propertyName: string; mapping: Record<string, string> }
    expect(Object.values(mapping)).toEqual((oneOf as Schema[]).map(({ $ref }) => $ref))
    for (const [tag, $ref] of Object.entries(mapping))
      expect(resolved({ $ref }).properties?.[propertyName]?.enum).toEqual([tag])
  }
})

test('no name is the constructor of another schema in Go', () => {
  expect(Object.keys(schemas).filter((name) => `New${name}` in schemas)).toEqual([])
})

test('every operation has a description and a tag, and every tag is described', () => {
  const tags = new Map(document.tags.map(({ name, description }) => [name, description]))
  expect([...tags.keys()].sort()).toEqual(
    services
      .filter((s) => s.operations.length > 0)
      .map(({ name }) => name)
      .sort(),
  )
  expect([...tags].filter(([, description]) => description.length < 20)).toEqual([])
  expect(operations.filter(({ description }) => !/[Nn]eeds .*\.$/.test(description)).map(({ id }) => id)).toEqual([])
})

test('the scopes of tokens are described, and every operation names the one that it needs', () => {
  const { bearer } = document.components.securitySchemes
  expect(bearer!['x-scopes']).toEqual(Object.fromEntries(declaredScopes()))
  const withScope = operations.filter(({ scope }) => scope !== null)
  expect(withScope.filter(({ scope, description }) => !description.includes(`the scope \`${scope}\``))).toEqual([])
  expect(withScope.length).toBeGreaterThan(40)
})

test('the document names its license, and the served one the server', async () => {
  expect(document.info).toMatchObject({
    license: { identifier: 'MIT' },
    version: expect.stringMatching(/^1\.\d+\.\d+$/),
  })
  const { body } = await call({ method: 'GET', path: '/openapi.json' })
  expect(body).toMatchObject({ openapi: '3.1.0', servers: [{ url: BASE_URL }] })
})
