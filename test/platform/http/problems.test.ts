import { z } from '@hono/zod-openapi'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { expect, test } from 'vitest'
import { declaredFailures, Failure, invalid, notFound } from '../../../src/platform/failures.ts'
import { invalidBySchema, Problem, problemResponse, toFailure } from '../../../src/platform/http/problems.ts'

async function answer(failure: Failure): Promise<Response> {
  const app = new Hono()
  app.get('*', (c) => problemResponse(c, failure))
  return app.request('/v1/things/1?secret=x')
}

test.each(declaredFailures())('the failure $code becomes a problem document with its status', async (kind) => {
  const response = await answer(new Failure(kind, 'Why'))
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  const { code, status, title } = kind
  expect(response.status).toBe(status)
  const type = `http://localhost/errors/${code}`
  const problem = { type, title, status, code, detail: 'Why', instance: '/v1/things/1' }
  expect(Problem.parse(await response.json())).toEqual(problem)
})

test('notFound() and a Failure with the code not_found produce the same response body', async () => {
  expect(await (await answer(notFound())).text()).toBe(await (await answer(new Failure('not_found'))).text())
})

test('each invalid field is listed with its path', async () => {
  const schema = z.strictObject({ text: z.string().min(1), media: z.array(z.strictObject({ alt: z.string() })) })
  const { error } = schema.safeParse({ text: '', media: [{ alt: 1, size: 2, type: 3 }], more: true, most: true })
  const problem = await (await answer(invalidBySchema(error!))).json<{ errors: { field: string }[] }>()
  expect(problem.errors.map((entry) => entry.field)).toEqual([
    'text',
    'media.0.alt',
    'media.0.size',
    'media.0.type',
    'more',
    'most',
  ])
  expect(await (await answer(invalid('text', 'is too long'))).json()).toMatchObject({
    code: 'invalid',
    errors: [{ field: 'text', message: 'is too long' }],
  })
})

test('a problem lists only the first twenty of thousands of invalid fields', () => {
  const sent = Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`field${i}`, i]))
  const { error } = z.strictObject({ text: z.string() }).safeParse(sent)
  const fields = invalidBySchema(error!).extra.errors!.map((entry) => entry.field)
  expect(fields).toEqual(['text', ...Array.from({ length: 19 }, (_, i) => `field${i}`)])
})

test('the message of an invalid field completes a sentence that starts with the name of the field', () => {
  const schema = z.strictObject({
    handle: z
      .string()
      .min(3)
      .max(5)
      .regex(/^[a-z]+$/, 'takes letters'),
    name: z.string().min(1),
    text: z.string(),
    media: z.array(z.string()).max(1),
    limit: z.int().min(1),
    visibility: z.enum(['public', 'followers']),
  })
  const messagesOf = (input: object) =>
    Object.fromEntries(
      invalidBySchema(schema.safeParse(input).error!).extra.errors!.map(({ field, message }) => [field, message]),
    )
  expect(messagesOf({ handle: 'ab', name: '', text: 5, media: ['', ''], limit: 0, visibility: 'x', role: '' })).toEqual(
    {
      handle: 'must have at least 3 characters',
      name: 'is required',
      text: 'must be a string',
      media: 'must have at most 1 item',
      limit: 'must be at least 1',
      visibility: 'must be one of: public, followers',
      role: 'is not a known field',
    },
  )
  const other = { handle: 'ABCDEF', name: 'Ada', media: {}, limit: 1.5, visibility: 'public' }
  expect(messagesOf(other)).toEqual({
    handle: 'takes letters',
    text: 'is required',
    media: 'must be an array',
    limit: 'must be an integer',
  })
})

test('the headers of a failure are on its response', async () => {
  const response = await answer(new Failure('rate_limited', undefined, { headers: { 'retry-after': '7' } }))
  expect(response.headers.get('retry-after')).toBe('7')
})

test('an unexpected error becomes an internal failure without a detail', () => {
  for (const thrown of [
    new Error('secret'),
    new TypeError('secret'),
    new SyntaxError('Unexpected token s in JSON'),
    'secret',
    null,
    { code: 'x' },
  ]) {
    expect(toFailure(thrown)).toMatchObject({ code: 'internal', detail: undefined })
  }
})

test('an error of an overloaded, unreachable or slow store becomes unavailable with Retry-After', () => {
  const messages = [
    'D1_ERROR: D1 DB is overloaded. Too many requests queued.',
    'get: We encountered an internal error. Please try again. (10001)',
    'put: Reduce your concurrent request rate for the same object. (10058)',
    'KV GET failed: 429 Too Many Requests',
    'Network connection lost.',
    'D1 DB reset because its code was updated.',
    'Cannot resolve D1 DB due to transient issue on remote node.',
    'D1 DB exceeded its CPU time limit and was reset.',
    'D1 DB storage operation exceeded timeout which caused object to be reset.',
    'The operation timed out',
  ]
  for (const message of messages) {
    const failure = toFailure(new Error('Failed query', { cause: new Error(message) }))
    expect(failure).toMatchObject({ code: 'unavailable', extra: { headers: { 'retry-after': '2' } } })
  }
})

test('user input in an error message does not change the classification of the error', () => {
  const error = new Error('Failed query: insert into posts\nparams: the shop was overloaded, please try again')
  expect(toFailure(error).code).toBe('internal')
})

test('toFailure keeps a Failure, and maps an HTTPException by its status, or to internal if that status is unknown', () => {
  const failure = new Failure('conflict')
  expect(toFailure(failure)).toBe(failure)
  expect(toFailure(new HTTPException(400, { message: 'Malformed JSON' }))).toMatchObject({
    code: 'bad_request',
    detail: 'Malformed JSON',
  })
  expect(toFailure(new HTTPException(415)).code).toBe('unsupported_media_type')
  expect(toFailure(new HTTPException(418)).code).toBe('internal')
})
