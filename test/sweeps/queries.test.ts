import { beforeAll, expect, test } from 'vitest'
import { trustTestKey } from '../support/tokens.ts'
import { callAsAdmin } from './admin.ts'
import type { Call } from './calls.ts'
import { operations } from './operations.ts'

beforeAll(trustTestKey)

const lists = operations.filter(({ isList }) => isList)

test('an unknown query parameter is refused before the body is parsed', async () => {
  const malformed: Partial<Call>[] = [
    { body: '{', headers: { 'content-type': 'application/json' } },
    { body: '{"a":1,"a":1}', headers: { 'content-type': 'application/json' } },
    { body: 'x', headers: { 'content-type': 'text/plain' } },
    { body: 'x', headers: { 'content-type': 'multipart/form-data' } },
  ]
  for (const operation of operations.filter(({ body }) => body !== null)) {
    for (const request of malformed) {
      const { code, body } = await callAsAdmin(operation, { query: '?foo=1', ...request })
      expect({ id: operation.id, code, body }).toMatchObject({ code: 'invalid', body: { errors: [{ field: 'foo' }] } })
    }
  }
})

test('a number in a query has decimal digits only', async () => {
  const malformed = ['0x10', '5e0', '+5', '%2B5', '%205', '5%20', '5%0A', '٥', '５', '5.0', '-5', '1_0', 'Infinity', '']
  const numbers = operations.flatMap((operation) =>
    operation.parameters
      .filter((parameter) => parameter.in === 'query' && parameter.schema.type === 'integer')
      .map(({ name }) => ({ operation, name })),
  )
  expect(new Set(numbers.map(({ name }) => name))).toEqual(new Set(['limit', 'since', 'expires', 'after', 'weeks']))
  for (const { operation, name } of numbers) {
    for (const text of malformed) {
      const { status, body } = await callAsAdmin(operation, { query: `?${name}=${text}` })
      expect({ id: operation.id, text, status, body }).toMatchObject({
        status: 422,
        body: { errors: [{ field: name }] },
      })
    }
    expect((await callAsAdmin(operation, { query: `?${name}=5` })).status).not.toBe(422)
  }
})

test('every list refuses a query that violates its schema', async () => {
  expect(lists.length).toBeGreaterThan(5)
  for (const operation of lists) {
    const invalid = [
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
    for (const query of [...invalid, `cursor=${'x'.repeat(101)}`, 'cursor=', 'limit=5&limit=6']) {
      const { code } = await callAsAdmin(operation, { query: `?${query}` })
      expect({ operation: operation.id, query, code }).toMatchObject({ code: 'invalid' })
    }
  }
})

test('a query parameter that occurs twice is refused', async () => {
  for (const operation of operations) {
    for (const { name, schema } of operation.parameters.filter((parameter) => parameter.in === 'query')) {
      const value = schema.type === 'integer' ? '5' : 'x'
      const { status, body } = await callAsAdmin(operation, { query: `?${name}=${value}&${name}=${value}` })
      const errors = [{ field: name }]
      expect({ id: operation.id, name, status, body }).toMatchObject({ status: 422, body: { errors } })
    }
  }
})

test('a list that is asked for a page number or an offset points to cursors', async () => {
  const names = ['page', 'offset', 'per_page', 'perPage', 'page_size', 'skip', 'max_id', 'since_id', 'Page']
  for (const operation of lists) {
    for (const name of names) {
      const { status, body } = await callAsAdmin(operation, { query: `?${name}=2` })
      const errors = [{ field: name, message: expect.stringContaining('nextCursor') }]
      expect({ id: operation.id, status, body }).toMatchObject({ status: 422, body: { errors } })
    }
  }
})
