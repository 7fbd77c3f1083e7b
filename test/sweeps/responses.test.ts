import { expect, test } from 'vitest'
import { flawsOf, operationOf } from '../support/contract.ts'
import { operations } from './operations.ts'

// The test client compares the responses in all tests with the OpenAPI document. These tests check that comparison.

const limits = operationOf('GET', '/v1/limits')!
const always = { 'content-type': 'application/json', 'x-request-id': 'r', 'cache-control': 'no-store' }

type Answer = { status?: number; headers?: Record<string, string>; body?: unknown }

function flaws({ status = 200, headers, body }: Answer, operation = limits): string[] {
  const response = new Response(null, {
    status,
    headers: { ...always, ...(status === 200 && { etag: 'e' }), ...headers },
  })
  return flawsOf(operation, response, body === undefined ? null : JSON.stringify(body))
}

const post = {
  id: '1970324836974593',
  author: { id: '1970324836974593', handle: 'ada', displayName: 'Ada', avatarUrl: null },
  text: 'Hello',
  entities: [{ kind: 'hashtag', start: 0, end: 5, tag: 'hello' }],
  media: [],
  visibility: 'public',
  rootId: null,
  parentId: null,
  createdAt: '2026-01-01T00:00:00.000Z',
  editedAt: null,
  likeCount: 0,
  commentCount: 0,
  liked: false,
}
const getPost = operationOf('GET', '/v1/posts/1')!

test('a response as the document describes it has no flaw', () => {
  expect(flaws({ body: post }, getPost)).toEqual([])
  expect(flaws({ body: post, headers: { ratelimit: 'x', 'ratelimit-policy': 'y' } }, getPost)).toEqual([])
  expect(flaws({ status: 206 }, getPost)).toEqual(['the status 206 is not declared'])
})

test.each([
  ['an unknown field', { ...post, secret: 1 }],
  ['an unknown nested field', { ...post, author: { ...post.author, email: 'x' } }],
  ['an unknown field of a variant', { ...post, entities: [{ ...post.entities[0], url: 'x' }] }],
  ['a missing field', { ...post, text: undefined }],
  ['null for a string', { ...post, text: null }],
  ['a number for an id', { ...post, parentId: 5 }],
  ['an unknown value of an enum', { ...post, visibility: 'secret' }],
  ['a date that is none', { ...post, createdAt: 'yesterday' }],
])('a body with %s is a flaw', (_, body) => {
  expect(flaws({ body }, getPost)).not.toEqual([])
})

test('an unknown or missing header, another content type and an unexpected body are flaws', () => {
  expect(flaws({ headers: { 'x-secret': 's' } })).toEqual(['the header x-secret is not declared'])
  expect(flaws({ headers: { 'content-type': 'text/plain' } })).toEqual(['the content type text/plain is not declared'])
  const problem = { 'content-type': 'application/problem+json', 'retry-after': 'soon' }
  expect(flaws({ status: 429, headers: problem })).toEqual(['the header retry-after is not an integer'])
  expect(flaws({ status: 401, headers: { 'content-type': problem['content-type'] } })).toEqual([
    'the header www-authenticate is missing',
  ])
  const unlike = operationOf('DELETE', '/v1/posts/1/like')!
  expect(flaws({ status: 204 }, unlike)).toEqual(['a body of type application/json is not declared'])
})

test('every operation is found by its method and path, and a concrete path before a template', () => {
  for (const operation of operations) {
    const pathname = operation.path.replace(/\{\w+\}/g, '1')
    expect(operationOf(operation.method, pathname)?.id).toBe(operation.id)
  }
  expect(operationOf('HEAD', '/v1/accounts/me')?.id).toBe('getMe')
})
