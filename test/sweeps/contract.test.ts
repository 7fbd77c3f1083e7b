import type { z } from '@hono/zod-openapi'
import { beforeAll, expect, test } from 'vitest'
import { app } from '../../src/app.ts'
import { type Id, newId } from '../../src/platform/data/ids.ts'
import type { Code } from '../../src/platform/http/errors.ts'
import hub from '../../src/platform/realtime/user-hub.object.ts?raw'
import { seedPeople } from '../support/rows.ts'
import { mint, trustTestKey } from '../support/tokens.ts'
import { type Answer, type Call, call } from './calls.ts'
import { examples } from './examples.ts'
import { document, type Operation, operations, resolved, type Schema } from './operations.ts'
import { kindOfParameter } from './targets.ts'

let admin: Id
const absent = newId(0, Date.now() - 86_400_000)
beforeAll(async () => {
  await trustTestKey()
  admin = (await seedPeople('admin', 1, () => 0))[0]!.id
})

const withBody = operations.filter(({ body }) => body?.type === 'application/json')
const lists = operations.filter(({ isList }) => isList)

/** Asks for something that is not there, of an operation that would be allowed. */
async function ask(
  operation: Operation,
  { query = '', parameter, ...rest }: Partial<Call> & Asked = {},
): Promise<Answer> {
  const token = await mint(admin, { role: 'admin' })
  return call({ method: operation.method, path: pathOf(operation, parameter) + query, token, ...rest })
}
type Asked = { query?: string; parameter?: string }

function pathOf({ path, parameters }: Operation, parameter?: string): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const options = parameters.find((it) => it.name === name)!.schema.enum as string[] | undefined
    return options?.[0] ?? parameter ?? (kindOfParameter[name] === 'handle' ? 'nobody' : absent)
  })
}

test('the document is the one that was agreed on', async () => {
  const text = `${JSON.stringify(document, null, 2)}\n`
  const changed = 'The contract has changed. If that is meant, say so with: npm test -- contract --update'
  await expect(text, changed).toMatchFileSnapshot('../contract/openapi.json')
})

test('every route is in the document, but for those of the watchman and the document itself', async () => {
  const apart = ['GET /healthz', 'GET /readyz', 'GET /openapi.json']
  const routes = app.routes.filter(({ method }) => method !== 'ALL').map(({ method, path }) => `${method} ${path}`)
  const described = operations.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`)
  expect([...new Set(routes)].sort()).toEqual([...described, ...apart].sort())
  expect(new Set(operations.map(({ id }) => id)).size).toBe(operations.length)
  for (const path of apart.map((route) => route.split(' ')[1]!)) {
    expect((await call({ method: 'GET', path })).status).toBe(200)
  }
})

/** Every schema within one, with the path that leads there. */
function within(schema: Schema, path: string): [string, Schema][] {
  const here = resolved(schema)
  const fields = Object.entries(here.properties ?? {}).flatMap(([name, field]) => within(field, `${path}.${name}`))
  const items = here.items ? within(here.items, `${path}[]`) : []
  const choices = ((here.anyOf ?? here.oneOf ?? []) as Schema[]).flatMap((choice) => within(choice, path))
  return [[path, here], ...fields, ...items, ...choices]
}

test('whatever is sent is bounded: strings in length, lists in number, objects in fields', () => {
  const sent = operations.flatMap(({ id, body, parameters }) => [
    ...(body ? within(body.schema, id) : []),
    ...parameters.flatMap((parameter) => within(parameter.schema, `${id}?${parameter.name}`)),
  ])
  const boundless = sent.filter(([, { type, maxLength, maxItems, additionalProperties, ...schema }]) => {
    if (type === 'string') return maxLength === undefined && !schema.enum && schema.format !== 'binary'
    if (type === 'array') return maxItems === undefined
    return type === 'object' ? additionalProperties !== false : type !== 'integer' && type !== 'boolean'
  })
  expect(boundless.map(([path]) => path)).toEqual([])
})

test('what may be null is so in the document, beside a schema of its own name too', () => {
  const nullable = (schema: Schema) => [schema.type].flat().includes('null')
  const contradictory = (schema: unknown): unknown[] => {
    if (typeof schema !== 'object' || schema === null) return []
    const all = ((schema as Schema).allOf ?? []) as Schema[]
    return [...(all.some(nullable) ? [schema] : []), ...Object.values(schema).flatMap(contradictory)]
  }
  expect(contradictory(document)).toEqual([])
})

const samples = { string: 'x', integer: 7, boolean: true, array: [], object: {}, null: null }

/** Bodies that differ from a good one in one way, which the schema forbids. */
function spoiled(good: Record<string, unknown>, { properties = {}, required = [] }: Schema): [string, unknown][] {
  const fields = Object.entries(properties).map(([name, schema]) => [name, resolved(schema)] as const)
  const wrong = fields.flatMap(([name, { type, maxLength, maxItems, items }]) => [
    ...Object.entries(samples)
      .filter(([kind]) => kind !== type)
      .map(([kind, sample]) => [`${kind} for ${name}`, { ...good, [name]: sample }] as [string, unknown]),
    ...(maxLength
      ? [[`long ${name}`, { ...good, [name]: 'x'.repeat(Number(maxLength) + 1) }] as [string, unknown]]
      : []),
    ...(maxItems && items?.example
      ? [[`many ${name}`, { ...good, [name]: Array(Number(maxItems) + 1).fill(items.example) }] as [string, unknown]]
      : []),
  ])
  const less = required.map((name): [string, unknown] => [`no ${name}`, { ...good, [name]: undefined }])
  const more = ['unknown', 'id', 'role', 'constructor'].map((name): [string, unknown] => [
    name,
    { ...good, [name]: 'x' },
  ])
  return [...wrong, ...less, ...more, ...Object.entries(samples).filter(([kind]) => kind !== 'object')]
}

test('every body is taken as described or not at all', async () => {
  for (const operation of withBody) {
    const good = await examples[operation.id]!.json!()
    const taken: string[] = []
    for (const [name, json] of spoiled({ ...good }, operation.body!.schema)) {
      const { code } = await ask(operation, { json })
      if (code !== 'invalid') taken.push(`${operation.id} with ${name}: ${code}`)
    }
    expect(taken).toEqual([])
  }
})

test('each field that is not known is named, in a body and in a query', async () => {
  const named = ({ body }: Answer) => (body as { errors: { field: string; message: string }[] }).errors
  const unknown = ['foo', 'bar'].map((field) => ({ field, message: 'is not known' }))
  const inQuery = operations.filter(({ parameters }) => parameters.some((it) => it.in === 'query'))
  for (const operation of withBody) {
    const json = { ...(await examples[operation.id]!.json!()), foo: 1, bar: 2 }
    expect([operation.id, named(await ask(operation, { json }))]).toEqual([operation.id, unknown])
  }
  for (const operation of inQuery) {
    expect([operation.id, named(await ask(operation, { query: '?foo=1&bar=2' }))]).toEqual([operation.id, unknown])
  }
})

test('the document tells of every header that is ours, and of every mark of an operation', async () => {
  const answer = await call({ method: 'GET', path: '/v1/limits' })
  const preflight = await call({ method: 'OPTIONS', path: '/v1/limits' })
  const exposed = answer.headers.get('access-control-expose-headers')!.split(',')
  const allowed = preflight.headers.get('access-control-allow-headers')!.split(',')
  const marks = Object.values(document.paths).flatMap((methods) => Object.values(methods).flatMap(Object.keys))
  const ours = new Set([...exposed, ...allowed, ...marks.filter((name) => name.startsWith('x-'))])
  for (const name of ['authorization', 'content-type']) ours.delete(name)
  const told = document.info.description.toLowerCase()
  expect([...ours].filter((name) => !new RegExp(`\`${name}[:\`]`).test(told))).toEqual([])
})

test('the document tells of every frame and every end of a socket', () => {
  const { description } = operations.find(({ id }) => id === 'openRealtime')!
  const events = [...hub.matchAll(/event: ('\w+')/g)].map(([, name]) => name!.replaceAll("'", '"'))
  const ends = [...hub.matchAll(/close\(socket, (\d{4}),/g)].map(([, code]) => code!)
  expect([events.length, ends.length]).toEqual([2, 6])
  const all = [...events, ...ends, 'ping', 'pong', 'seq', 'resumed', 'since', 'channels', 'ticket']
  expect(all.filter((name) => !description.includes(name))).toEqual([])
})

/** The schema that the JSON body of an operation is parsed with. */
function parserOf(id: string): z.ZodType {
  const routes = app.openAPIRegistry.definitions.filter((definition) => definition.type === 'route')
  const { request } = routes.find(({ route }) => route.operationId === id)!.route
  return (request!.body!.content['application/json'] as { schema: z.ZodType }).schema
}

test('every JSON body has an example that is accepted and says something', () => {
  for (const { id, body } of withBody) {
    const example = body!.example as object
    expect({ id, ...parserOf(id).safeParse(example) }).toMatchObject({ id, success: true })
    expect({ id, fields: Object.keys(example).length > 0 }).toEqual({ id, fields: true })
  }
})

test('a form with a field that is not described is not taken', async () => {
  for (const operation of operations.filter(({ body }) => body?.type === 'multipart/form-data')) {
    const form = examples[operation.id]!.form!()
    form.set('unknown', 'x')
    expect((await ask(operation, { body: form })).code).toBe('invalid')
    expect((await ask(operation, { body: new FormData() })).code).toBe('invalid')
  }
})

test('a body that is no JSON, or says that it is something else, is not taken', async () => {
  const attempts: [string, Partial<Call>, Code][] = [
    ['half of it', { body: '{"', headers: { 'content-type': 'application/json' } }, 'bad_request'],
    ['text', { body: '{}', headers: { 'content-type': 'text/plain' } }, 'unsupported_media_type'],
    ['packed', { json: {}, headers: { 'content-encoding': 'gzip' } }, 'unsupported_media_type'],
    ['far too much', { json: { text: 'x'.repeat(300_000) } }, 'too_large'],
  ]
  for (const operation of withBody) {
    for (const [name, sent, expected] of attempts) {
      const { code } = await ask(operation, sent)
      expect({ operation: operation.id, name, code }).toMatchObject({ code: expected })
    }
  }
})

test('a query is taken as described or not at all', async () => {
  expect(lists.length).toBeGreaterThan(5)
  for (const operation of lists) {
    const spoilt = [
      'limit=0',
      'limit=51',
      'limit=x',
      'limit=',
      'limit=1e9',
      'cursor=x',
      'cursor=YWZ0ZXI6MA',
      'cursor=k1.YWZ0ZXI6MA',
      'offset=5',
    ]
    for (const query of [...spoilt, `cursor=${'x'.repeat(101)}`, 'cursor=', 'limit=5&limit=6']) {
      const { code } = await ask(operation, { query: `?${query}` })
      expect({ operation: operation.id, query, code }).toMatchObject({ code: 'invalid' })
    }
  }
})

test('what cannot be an id is as absent as what is none', async () => {
  const none = [
    '0',
    '-1',
    '1e3',
    'x',
    '0x10',
    '99999999999999999',
    '9007199254740993',
    '%00',
    '1%2F2',
    "1'",
    '1 or 1=1',
    '٣',
  ]
  for (const operation of operations.filter(({ path }) => path.includes('{'))) {
    const json = await examples[operation.id]?.json?.()
    for (const parameter of none) {
      const { status, code } = await ask(operation, { parameter: encodeURI(parameter), json })
      expect({ operation: operation.id, parameter, status, code }).toMatchObject({ status: 404, code: 'not_found' })
    }
  }
})

test('methods that an address does not offer are refused, naming those it does; other addresses are not there', async () => {
  for (const path of Object.keys(document.paths)) {
    const offered = operations.filter((operation) => operation.path === path)
    const concrete = pathOf(offered[0]!)
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      if (operations.some((it) => it.method === method && pathOf(it) === concrete)) continue
      const { status, headers } = await call({ method, path: concrete })
      const allow = offered.every((it) => headers.get('allow')?.includes(it.method))
      expect({ method, path, status, allow }).toEqual({ method, path, status: 405, allow: true })
    }
    expect([404, 405]).toContain((await call({ method: 'GET', path: `${concrete}/x.css` })).status)
    const preflight = await call({
      method: 'OPTIONS',
      path: concrete,
      headers: { 'access-control-request-method': 'PUT' },
    })
    expect(preflight.status).toBe(204)
  }
})

test('a creation that is repeated with its Idempotency-Key is done once, for its own caller alone', async () => {
  const creations = operations.filter(({ idempotent }) => idempotent)
  const people = await seedPeople('creator', 2, (i) => i)
  const [ada, bob] = [await mint(people[0]!.id), await mint(people[1]!.id)]
  expect(creations.length).toBeGreaterThan(1)
  for (const operation of creations) {
    const example = examples[operation.id]!
    const json = await example.json?.()
    const create = (token: string, other?: Partial<Call>) =>
      ask(operation, { token, headers: { 'idempotency-key': 'once' }, json, body: example.form?.(), ...other })
    const idOf = ({ body }: Answer) => (body as { id: Id }).id
    const [first, again, others] = [await create(ada), await create(ada), await create(bob)]
    expect([first.status, again.status, others.status]).toEqual([201, 201, 201])
    expect([idOf(again), again.headers.get('idempotency-replayed')]).toEqual([idOf(first), 'true'])
    expect([others.headers.get('idempotency-replayed'), idOf(others) === idOf(first)]).toEqual([null, false])
    expect((await create(ada, { headers: { 'idempotency-key': 'x'.repeat(256) } })).code).toBe('invalid')
  }
})
