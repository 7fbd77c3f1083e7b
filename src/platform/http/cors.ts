import { cors } from 'hono/cors'
import { createMiddleware } from 'hono/factory'

/** The header with database bookmarks, so that clients read their own writes. */
export const BOOKMARKS = 'x-bookmarks'

const allow = cors({
  origin: '*',
  allowHeaders: [
    'authorization',
    'content-type',
    'idempotency-key',
    'if-none-match',
    'if-range',
    'range',
    'x-request-id',
    BOOKMARKS,
  ],
  allowMethods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
  maxAge: 86_400,
})

/** The response headers that pages of other origins may read. */
export const exposedHeaders = [
  BOOKMARKS,
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'idempotency-replayed',
  'x-request-id',
  'etag',
  'accept-ranges',
  'content-range',
  'www-authenticate',
  'location',
  'link',
  'deprecation',
  'sunset',
].join()

export const preflight = createMiddleware(async function answerPreflight(c, next) {
  return c.req.method === 'OPTIONS' ? allow(c, next) : next()
})
