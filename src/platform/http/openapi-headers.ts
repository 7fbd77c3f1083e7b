import { MAX_BOOKMARKS_LENGTH } from '../data/databases.ts'
import { deprecationHeaders } from './deprecation.ts'
import { type Operation, successOf } from './operation.ts'

type Header = { description: string; required: boolean; schema: { type: 'string' | 'integer' } }

const text = (description: string): Header => ({ description, required: true, schema: { type: 'string' } })
const optional = (description: string): Header => ({ ...text(description), required: false })

/** The response headers of the document. A required one is in every response that declares it. */
export const headerComponents: Record<string, Header> = {
  'X-Request-Id': text('Identifies the request; quote it when you report a problem'),
  'Cache-Control': text('Whether and for how long the response may be stored'),
  'RateLimit-Policy': optional('The limit that was counted; absent if the request was not counted'),
  RateLimit: optional('What is left of the limit; absent if the request was not counted'),
  'X-Bookmarks': optional('Send this value with later requests, so that they see this write'),
  'Idempotency-Replayed': optional('`true` if an earlier request with the same key created the resource'),
  Link: optional('The next and the previous page (RFC 8288), as `rel="next"` and `rel="prev"`'),
  ETag: text('Names the content, except for cursors; send it as `If-None-Match` to get 304 while nothing changed'),
  Location: text('The path of the created resource'),
  'WWW-Authenticate': text('`Bearer` if a token is required; with `error="invalid_token"` if it was rejected'),
  Age: {
    description:
      'Seconds since the answer was made, if it may be that of another caller; absent if the request has credentials',
    required: false,
    schema: { type: 'integer' },
  },
  'Retry-After': { description: 'Seconds after which to try again', required: true, schema: { type: 'integer' } },
  'Content-Range': text('The part of the content that the response contains, or the size of the content'),
}

const always = ['X-Request-Id', 'Cache-Control', 'RateLimit-Policy', 'RateLimit']
const ofStatus: Record<number, string[]> = {
  201: ['Location'],
  206: ['Content-Range'],
  401: ['WWW-Authenticate'],
  416: ['Content-Range'],
  429: ['Retry-After'],
  503: ['Retry-After'],
}

const named = (names: string[]) =>
  Object.fromEntries([...always, ...names].map((name) => [name, { $ref: `#/components/headers/${name}` }]))

export const failureHeaders = (status: number) => named(ofStatus[status] ?? [])

export function successHeaders(operation: Operation, status: number = successOf(operation)): object {
  const names = [...(ofStatus[status] ?? [])]
  if (operation.method !== 'get') names.push('X-Bookmarks')
  if (operation.idempotent) names.push('Idempotency-Replayed')
  if (operation.query && 'cursor' in operation.query.shape && status === 200) names.push('Link')
  if (operation.method === 'get' && 'run' in operation) names.push('ETag')
  if (operation.shared !== undefined) names.push('Age')
  const declared = 'respond' in operation ? operation.headers : {}
  const own = Object.entries({ ...declared, ...(operation.deprecated && deprecationHeaders) })
  return { ...named(names), ...Object.fromEntries(own.map(([name, description]) => [name, text(description)])) }
}

/** The request header that every operation accepts. */
export const bookmarksParameter = {
  name: 'X-Bookmarks',
  in: 'header',
  required: false,
  description: 'The latest `X-Bookmarks` of a response, so that this request sees your writes',
  schema: { type: 'string', maxLength: MAX_BOOKMARKS_LENGTH },
}
