import type { Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { requestId } from 'hono/request-id'
import { routePath } from 'hono/route'
import { secureHeaders } from 'hono/secure-headers'
import { isConfigured } from '../config.ts'
import { createContext } from '../create-context.ts'
import { wakeSweepers } from '../events/sweeper.client.ts'
import { measure, traceId } from '../observability/metrics.ts'
import type { RequestCtx } from '../security/admit.ts'
import type { AppEnv } from './app-env.ts'
import { limitBody } from './body.ts'
import { clientIpOf, clientOf } from './client-ip.ts'
import { BOOKMARKS, exposedHeaders, preflight } from './cors.ts'

/** An isolate wakes the sweepers only after its first response, which the cold start already delays. */
const WAKE_AFTER_MS = 100
let awake = false

type LoginSources = Pick<RequestCtx, 'readAccountStatus' | 'readLoginTime'>

function requestContext(sources: LoginSources) {
  return createMiddleware<AppEnv>(async function makeContext(c, next) {
    const isReadinessCheck = c.req.path === '/readyz'
    // Health checks must respond without a valid configuration.
    if (c.req.path === '/healthz' || (isReadinessCheck && !isConfigured(c.env))) return next()
    const started = Date.now()
    const ctx = createContext({
      env: c.env,
      waitUntil: (work) => c.executionCtx.waitUntil(work),
      trace: { requestId: c.var.requestId, traceId: traceId() },
      bookmarks: c.req.header(BOOKMARKS),
    })
    const clientIp = clientIpOf(c.req.header('cf-connecting-ip'))
    const request = Object.defineProperty({ ...ctx, viewer: null, clientIp, ...sources }, 'client', {
      enumerable: true,
      get: () => clientOf(c.req.raw), // few operations need it, and reading `cf` parses it
    })
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
    if (!awake) {
      awake = true
      ctx.defer(() => scheduler.wait(WAKE_AFTER_MS).then(() => wakeSweepers(ctx)))
    }
  })
}

/** Bookmarks after a read would reveal which databases were read, and so where hidden records are. */
function isWrite({ req, res }: Context): boolean {
  return res.status < 400 && req.method !== 'GET' && req.method !== 'HEAD'
}

/** Headers of every response. Set after `next()`: headers set before are lost when a handler returns a raw Response. */
const responseHeaders = createMiddleware<AppEnv>(async function setHeaders(c, next) {
  await next()
  const { headers } = c.res
  headers.set('x-request-id', c.var.requestId)
  headers.set('access-control-allow-origin', '*') // safe for any origin, because there are no cookies
  headers.set('access-control-expose-headers', exposedHeaders)
  if (!headers.has('cache-control')) headers.set('cache-control', 'private, no-store')
  if (headers.has('ratelimit')) return // a 429 already has the headers of the exceeded limit
  for (const [name, value] of Object.entries(c.var.allowance ?? {})) headers.set(name, value)
})

/** The middleware of every request, in order. */
export function edge(sources: LoginSources) {
  return [
    requestId({ headerName: 'x-request-id', limitLength: 64 }),
    secureHeaders({
      strictTransportSecurity: 'max-age=63072000; includeSubDomains; preload',
      referrerPolicy: 'no-referrer',
      xFrameOptions: 'DENY',
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        frameAncestors: ["'none'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
      },
      crossOriginResourcePolicy: 'cross-origin',
      overwrite: false,
    }),
    responseHeaders,
    preflight,
    requestContext(sources),
    limitBody,
  ] as const
}
