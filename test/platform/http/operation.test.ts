import { z } from '@hono/zod-openapi'
import { expect, test } from 'vitest'
import type { Ctx, UserCtx } from '../../../src/platform/context.ts'
import { operation } from '../../../src/platform/http/operation.ts'

const Thing = z.object({ text: z.string() })
const given = { id: 'a', path: '/a', access: 'public', summary: 'A' } as const
const get = { ...given, method: 'get', returns: Thing } as const
const thing = { text: 'x' }

// Type tests: `npm run check` fails when an expected error is missing.
test('the compiler rejects an operation whose `run` does not match its contract', () => {
  const forUsers = (ctx: UserCtx) => ({ text: ctx.viewer.id })
  expect(operation({ ...get, access: 'user', run: forUsers }).id).toBe('a')
  // @ts-expect-error The viewer of a public operation can be null.
  expect(operation({ ...get, run: forUsers }).id).toBe('a')

  const byId = (_: Ctx, { id }: { id: string }) => ({ text: id })
  expect(operation({ ...get, params: z.object({ id: z.string() }), run: byId }).id).toBe('a')
  // @ts-expect-error No part of the request contains the id.
  expect(operation({ ...get, run: byId }).id).toBe('a')
  // @ts-expect-error The id of the query is a number.
  expect(operation({ ...get, query: z.object({ id: z.coerce.number() }), run: byId }).id).toBe('a')

  // @ts-expect-error The result is not a Thing.
  expect(operation({ ...get, run: () => ({ text: 5 }) }).id).toBe('a')
  // @ts-expect-error The result would be dropped.
  expect(operation({ ...get, returns: null, run: async () => thing }).id).toBe('a')
  // @ts-expect-error An idempotent operation must return whether it was replayed.
  expect(operation({ ...get, idempotent: true, run: () => thing }).id).toBe('a')
})

test('the compiler requires an example for each JSON body and a location for a 201 response', () => {
  const post = { ...given, method: 'post', returns: null, run: () => {} } as const
  // @ts-expect-error The example is missing.
  expect(operation({ ...post, body: Thing }).id).toBe('a')
  // @ts-expect-error A string is expected.
  expect(operation({ ...post, body: Thing, example: { text: 5 } }).id).toBe('a')
  expect(operation({ ...post, body: Thing, bodyType: 'multipart/form-data' }).id).toBe('a')
  // @ts-expect-error The location is missing.
  expect(operation({ ...post, status: 201, returns: Thing, run: () => thing }).id).toBe('a')
})
