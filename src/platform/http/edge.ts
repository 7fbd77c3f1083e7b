import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { requestId } from 'hono/request-id'
import { routePath } from 'hono/route'
import { isConfigured } from '../config.ts'
import { createContext } from '../create-context.ts'
import { wakeUnreached } from '../events/sweeper.client.ts'
import { measure, traceId } from '../observability/metrics.ts'
import type { RequestCtx } from '../security/admit.ts'
import type { AppEnv } from './app-env.ts'
import { limitBody } from './body.ts'
import { clientIpOf, clientOf } from './client-ip.ts'
import { BOOKMARKS, exposedHeaders, preflight } from './cors.ts'
import { shedding } from './shedding.ts'

/** Few operations need the client, and reading `cf` parses it. One getter for all contexts keeps them fast. */
const lazyClient = {
  enumerable: true,
  get(this: { request: Request }) {
    return clientOf(this.request)
  },
}

type LoginSources = Pick<RequestCtx, 'readAccountStatus' | 'readLoginTime' | 'readRights'>

function requestContext(sources: LoginSources) {
  return createMiddleware<AppEnv>(async function makeContext(c, next) {
    const isReadinessCheck = c.req.path === '/readyz'
    // Health checks must respond without a valid configuration.
    if (c.req.path === '/healthz' || (isReadinessCheck && !isConfigured(c.env))) return next()
    const started = Date.now()
    const ctx = createContext({
      env: c.env,
      waitUntil: (work) => c.executionCtx.waitUntil(work),
      trace: { requestId: c.get('requestId'), traceId: traceId() },
      bookmarks: c.req.header(BOOKMARKS),
    })
    const clientIp = clientIpOf(c.req.header('cf-connecting-ip'))
    const fields = { ...ctx, viewer: null, clientIp, ...sources, allowed: new Set<string>(), request: c.req.raw }
    const request = Object.defineProperty(fields, 'client', lazyClient)
    c.set('ctx', request)
    await next()
    if (isReadinessCheck) return
    const bookmarks = isWrite(c) ? request.db.bookmarks() : null
    if (bookmarks) c.res.headers.set(BOOKMARKS, bookmarks)
    if (ctx.config.ENVIRONMENT === 'development') c.res.headers.set('x-cost', JSON.stringify(ctx.cost))
    const measured = { method: c.req.method, route: routePath(c), status: c.res.status, ms: Date.now() - started }
    measure(c.env, { ...measured, cost: ctx.cost })
    const local = ctx.config.ENVIRONMENT === 'development' && { path: c.req.path }
    request.log.info('request', { ...measured, ...local, ...ctx.cost })
    wakeUnreached(ctx)
  })
}

/** Bookmarks after a read would reveal which databases were read, and so where hidden records are. */
function isWrite({ req, res }: Context): boolean {
  return res.status < 400 && req.method !== 'GET' && req.method !== 'HEAD'
}

const defaultHeaders = Object.entries({
  'strict-transport-security': 'max-age=63072000; includeSubDomains; preload',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'cross-origin-resource-policy': 'cross-origin',
  'cross-origin-opener-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
  'cache-control': 'private, no-store',
})

/** Headers of every response. Set after `next()`: headers set before are lost when a handler returns a raw Response. */
const responseHeaders = createMiddleware<AppEnv>(async function setHeaders(c, next) {
  await next()
  const { headers } = c.res
  for (const [name, value] of defaultHeaders) if (!headers.has(name)) headers.set(name, value)
  headers.set('x-request-id', c.get('requestId'))
  headers.set('access-control-allow-origin', '*') // safe for any origin, because there are no cookies
  headers.set('access-control-expose-headers', exposedHeaders)
  if (headers.has('ratelimit')) return // a 429 already has the headers of the exceeded limit
  for (const [name, value] of Object.entries(c.get('allowance') ?? {})) headers.set(name, value)
})

/** The middleware of every request, in order. */
export function edge(sources: LoginSources) {
  return [
    requestId({ headerName: 'x-request-id', limitLength: 64 }),
    responseHeaders,
    preflight,
    shedding,
    requestContext(sources),
    limitBody,
  ] as const
}
