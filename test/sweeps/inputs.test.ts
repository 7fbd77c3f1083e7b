import { beforeAll, expect, test } from 'vitest'
import type { Id } from '../../src/platform/data/ids.ts'
import type { Code } from '../../src/platform/failures.ts'
import { accountsOn } from '../support/actors.ts'
import { insertLogin } from '../support/logins.ts'
import { mint, trustTestKey } from '../support/tokens.ts'
import { callAsAdmin, pathOf } from './admin.ts'
import { type Answer, type Call, call } from './calls.ts'
import { examples } from './examples.ts'
import { document, operations, resolved, type Schema } from './operations.ts'

beforeAll(trustTestKey)

const withBody = operations.filter(({ body }) => body?.type === 'application/json')

const samples = { string: 'x', integer: 7, boolean: true, array: [], object: {}, null: null }

/** Bodies that differ from a valid one in one way that the schema forbids. */
function invalidVariants(
  valid: Record<string, unknown>,
  { properties = {}, required = [] }: Schema,
): [string, unknown][] {
  const fields = Object.entries(properties).map(([name, schema]) => [name, resolved(schema)] as const)
  const wrong = fields.flatMap(([name, { type, minLength, maxLength, maxItems, items }]) => [
    ...Object.entries(samples)
      .filter(([kind]) => kind !== type)
      .map(([kind, sample]) => [`${kind} for ${name}`, { ...valid, [name]: sample }] as [string, unknown]),
    ...(minLength
      ? [[`short ${name}`, { ...valid, [name]: 'x'.repeat(Number(minLength) - 1) }] as [string, unknown]]
      : []),
    ...(maxLength
      ? [[`long ${name}`, { ...valid, [name]: 'x'.repeat(Number(maxLength) + 1) }] as [string, unknown]]
      : []),
    ...(maxItems && items?.example
      ? [[`many ${name}`, { ...valid, [name]: Array(Number(maxItems) + 1).fill(items.example) }] as [string, unknown]]
      : []),
  ])
  const missingFields = required.map((name): [string, unknown] => [`no ${name}`, { ...valid, [name]: undefined }])
  const unknownFields = ['unknown', 'id', 'role', 'constructor'].map((name): [string, unknown] => [
    name,
    { ...valid, [name]: 'x' },
  ])
  return [
    ...wrong,
    ...missingFields,
    ...unknownFields,
    ...Object.entries(samples).filter(([kind]) => kind !== 'object'),
  ]
}

test('every JSON body that violates its schema is refused', async () => {
  for (const operation of withBody) {
    const valid = await examples[operation.id]!.json!()
    const accepted: string[] = []
    for (const [name, json] of invalidVariants({ ...valid }, operation.body!.schema)) {
      const { code } = await callAsAdmin(operation, { json })
      if (code !== 'invalid') accepted.push(`${operation.id} with ${name}: ${code}`)
    }
    expect(accepted).toEqual([])
  }
})

test('the error names each unknown field of a body or query, also for operations that declare neither', async () => {
  const errorsOf = ({ body }: Answer) => (body as { errors: { field: string; message: string }[] }).errors
  const unknown = ['foo', 'bar'].map((field) => ({ field, message: 'is not a known field' }))
  for (const operation of withBody) {
    const json = { ...(await examples[operation.id]!.json!()), foo: 1, bar: 2 }
    expect([operation.id, errorsOf(await callAsAdmin(operation, { json }))]).toEqual([operation.id, unknown])
  }
  // A token in the path is not that of a mail, so its operations answer 404 first.
  for (const operation of operations.filter(({ path }) => !path.includes('{token}'))) {
    const { json, form } = examples[operation.id] ?? {}
    const answer = await callAsAdmin(operation, { query: '?foo=1&bar=2', json: await json?.(), body: form?.() })
    expect([operation.id, answer.status, errorsOf(answer)]).toEqual([operation.id, 422, unknown])
  }
})

test('a PATCH that changes nothing is refused', async () => {
  const patches = operations.filter(({ method }) => method === 'PATCH')
  expect(patches.length).toBeGreaterThan(1)
  for (const operation of patches) {
    expect([operation.id, (await callAsAdmin(operation, { json: {} })).code]).toEqual([operation.id, 'invalid'])
  }
})

test('an empty body is treated like {}, with and without a content type', async () => {
  for (const operation of withBody) {
    const expected = await callAsAdmin(operation, { json: {} })
    for (const type of ['', 'application/json', 'text/plain']) {
      const headers = type === '' ? undefined : { 'content-type': type }
      const { status, body } = await callAsAdmin(operation, { body: '', headers })
      expect([operation.id, status, body]).toEqual([operation.id, 422, expected.body])
    }
  }
})

test('a body that repeats a key is refused, in nested objects and with escapes too', async () => {
  const headers = { 'content-type': 'application/json' }
  for (const operation of withBody) {
    const json = { ...(await examples[operation.id]!.json!()) }
    const [name] = Object.keys(json)
    const rest = JSON.stringify(json).slice(1)
    const escaped = `\\u00${name!.charCodeAt(0).toString(16)}${name!.slice(1)}`
    for (const start of [`{"${name}":null,`, `{"${escaped}":null,`, '{"unknown":[{"a":1,"\\u0061":2}],']) {
      const { code } = await callAsAdmin(operation, { body: start + rest, headers })
      expect([operation.id, start, code]).toEqual([operation.id, start, 'bad_request'])
    }
  }
})

test('a form with an unknown or a repeated field, and an empty form, are refused', async () => {
  for (const operation of operations.filter(({ body }) => body?.type === 'multipart/form-data')) {
    const form = examples[operation.id]!.form!()
    form.set('unknown', 'x')
    expect((await callAsAdmin(operation, { body: form })).code).toBe('invalid')
    expect((await callAsAdmin(operation, { body: new FormData() })).code).toBe('invalid')
    for (const name of Object.keys(operation.body!.schema.properties!)) {
      const twice = examples[operation.id]!.form!()
      twice.append(name, twice.get(name)!)
      expect([operation.id, name, (await callAsAdmin(operation, { body: twice })).code]).toEqual([
        operation.id,
        name,
        'invalid',
      ])
    }
  }
})

test('a JSON body that is truncated, compressed, oversized or sent as text/plain is refused', async () => {
  const attempts: [string, Partial<Call>, Code][] = [
    ['truncated', { body: '{"', headers: { 'content-type': 'application/json' } }, 'bad_request'],
    ['text', { body: '{}', headers: { 'content-type': 'text/plain' } }, 'unsupported_media_type'],
    ['compressed', { json: {}, headers: { 'content-encoding': 'gzip' } }, 'unsupported_media_type'],
    ['oversized', { json: { text: 'x'.repeat(300_000) } }, 'too_large'],
  ]
  for (const operation of withBody) {
    for (const [name, request, expected] of attempts) {
      const { code } = await callAsAdmin(operation, request)
      expect({ operation: operation.id, name, code }).toMatchObject({ code: expected })
    }
  }
})

test('a malformed id in the path gets 404', async () => {
  const malformed = [
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
    `${'f'.repeat(32)}.9999999999999999`,
  ]
  // Every text may be a hashtag.
  for (const operation of operations.filter(({ path }) => path.includes('{') && !path.includes('{tag}'))) {
    const json = await examples[operation.id]?.json?.()
    for (const parameter of malformed) {
      const { status, code } = await callAsAdmin(operation, { parameter: encodeURI(parameter), json })
      expect({ operation: operation.id, parameter, status, code }).toMatchObject({ status: 404, code: 'not_found' })
    }
  }
})

test('a method that a path does not support gets 405, with the supported methods in the Allow header', async () => {
  for (const path of Object.keys(document.paths)) {
    const offered = operations.filter((operation) => operation.path === path)
    const concrete = pathOf(offered[0]!)
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      if (operations.some((other) => other.method === method && pathOf(other) === concrete)) continue
      const { status, headers } = await call({ method, path: concrete })
      const allow = offered.every((operation) => headers.get('allow')?.includes(operation.method))
      expect({ method, path, status, allow }).toEqual({ method, path, status: 405, allow: true })
    }
    expect([401, 404, 405]).toContain((await call({ method: 'GET', path: `${concrete}/x.css` })).status)
    const preflight = await call({
      method: 'OPTIONS',
      path: concrete,
      headers: { 'access-control-request-method': 'PUT' },
    })
    expect(preflight.status).toBe(204)
  }
})

test('a creation repeated with the same Idempotency-Key runs once per caller', async () => {
  const creations = operations.filter(({ idempotent }) => idempotent)
  const [adaId, bobId] = await accountsOn(0, 1)
  const fresh = async (id: Id) => mint(id, { sessionId: await insertLogin(id) })
  const [ada, bob] = [await fresh(adaId), await fresh(bobId)]
  expect(creations.length).toBeGreaterThan(1)
  for (const operation of creations) {
    const example = examples[operation.id]!
    const json = await example.json?.()
    const create = (token: string, other?: Partial<Call>) =>
      callAsAdmin(operation, { token, headers: { 'idempotency-key': 'once' }, json, body: example.form?.(), ...other })
    const idOf = ({ body }: Answer) => (body as { id: Id }).id
    const [first, again, others] = [await create(ada), await create(ada), await create(bob)]
    expect([first.status, again.status, others.status]).toEqual([201, 201, 201])
    expect([idOf(again), again.headers.get('idempotency-replayed')]).toEqual([idOf(first), 'true'])
    expect([others.headers.get('idempotency-replayed'), idOf(others) === idOf(first)]).toEqual([null, false])
    expect((await create(ada, { headers: { 'idempotency-key': 'x'.repeat(256) } })).code).toBe('invalid')
  }
})
