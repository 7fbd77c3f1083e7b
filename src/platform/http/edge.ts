import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import { createMiddleware } from 'hono/factory'
import { requestId } from 'hono/request-id'
import { routePath } from 'hono/route'
import { secureHeaders } from 'hono/secure-headers'
import type { Env } from '../config.ts'
import { type Ctx, createContext, type Viewer } from '../context.ts'
import { wakeSweepers } from '../events/relay.ts'
import { log } from '../observability/log.ts'
import { measure, traceId } from '../observability/metrics.ts'
import type { AccountStatusSource } from '../security/access.ts'
import { type KeySource, rememberedViewer, tokenMissing, unauthorized, verifyAccessToken } from '../security/tokens.ts'
import { assetResponse } from './assets.ts'
import { answerError, Failure, notFound, toFailure } from './errors.ts'
import type { AppEnv } from './route.ts'

const BOOKMARKS = 'x-bookmarks'
const MAX_TEXT_BYTES = 256 * 1024
const MAX_UPLOAD_BYTES = 12 * 1024 * 1024
const HEALTH = ['/healthz', '/readyz']

/** The first answer of an isolate is slow enough: it goes out before the sweepers are woken. */
const WAKE_AFTER_MS = 100
let awake = false

/** Makes the request's context, hands bookmarks back after a write, and writes the request's log line and measurement. */
const context = createMiddleware<AppEnv>(async function makeContext(c, next) {
  if (HEALTH.includes(c.req.path)) return next() // they answer even when the configuration, which a context needs, is wrong
  const started = Date.now()
  const env = c.env as Env
  const ctx = createContext({
    env,
    waitUntil: (work) => c.executionCtx.waitUntil(work),
    log: log.with({ requestId: c.get('requestId' as never), traceId: traceId() }),
    bookmarks: c.req.header(BOOKMARKS),
  })
  c.set('ctx', { ...ctx, viewer: null })
  c.set('address', clientIpOf(c.req.header('cf-connecting-ip')))
  await next()
  const bookmarks = isWritten(c) ? ctx.db.bookmarks() : null
  if (bookmarks) c.res.headers.set(BOOKMARKS, bookmarks)
  if (ctx.config.ENVIRONMENT === 'development') c.res.headers.set('x-cost', JSON.stringify(ctx.cost))
  const measured = { method: c.req.method, route: routePath(c), status: c.res.status, ms: Date.now() - started }
  measure(env, { ...measured, cost: ctx.cost })
  ctx.log.info('request', { ...measured, ...ctx.cost })
  if (!awake) {
    awake = true
    ctx.defer(() => scheduler.wait(WAKE_AFTER_MS).then(() => wakeSweepers(ctx)))
  }
})

/** Whether something was written. Bookmarks of any other answer would tell which databases were asked, and so what is hidden. */
function isWritten({ req, res }: Context): boolean {
  return res.status < 400 && req.method !== 'GET' && req.method !== 'HEAD'
}

/** The client's address as the network vouches for it; all of an IPv6 /64 is one client. No other header is believed. */
function clientIpOf(header: string | undefined): string {
  const address = header ?? 'unknown'
  if (!address.includes(':')) return address
  const [before, after] = address.split('::').map((part) => (part === '' ? [] : part.split(':')))
  const zeros = after === undefined ? 0 : 8 - before!.length - after.length
  return [...before!, ...Array<string>(zeros).fill('0'), ...(after ?? [])].slice(0, 4).join(':')
}

const limited = (what: string, maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new Failure('too_large', `${what} may have ${maxSize} bytes`)
    },
  })
const limitText = limited('A body of JSON', MAX_TEXT_BYTES)
const limitUpload = limited('A form', MAX_UPLOAD_BYTES)

/** Blanks ahead of a semicolon, nothing behind it, or a second parameter: what routes compare types with knows none of it. */
const UNUSUAL_TYPE = /\s;|;\s*$|;.*;/

/** The same type with a boundary at most. A charset says nothing: JSON and forms are UTF-8. */
function plainType(type: string): string {
  const [kind, ...parameters] = type.split(';').map((part) => part.trim())
  return [kind, ...parameters.filter((parameter) => /^boundary=/i.test(parameter)).slice(0, 1)].join('; ')
}

/** Bodies are counted as they arrive, whatever their headers say, and are taken as they are: nothing is unpacked. */
const body = createMiddleware<AppEnv>(async function limitBody(c, next) {
  if ((c.req.header('content-encoding') ?? 'identity') !== 'identity') {
    throw new Failure('unsupported_media_type', 'Send the body without a content-encoding')
  }
  const type = c.req.header('content-type')
  if (type && UNUSUAL_TYPE.test(type)) {
    const headers = new Headers(c.req.raw.headers)
    headers.set('content-type', plainType(type))
    c.req.raw = new Request(c.req.raw, { headers })
  }
  const isUpload = /^multipart\/form-data\b/i.test(c.req.header('content-type') ?? '')
  return (isUpload ? limitUpload : limitText)(c, next)
})

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
const exposed = [
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
].join()

/** What stands on every answer, whoever made it. Set ahead of it, it would be lost on answers that hono does not make. */
const headers = createMiddleware<AppEnv>(async function setHeaders(c, next) {
  await next()
  const own = c.res.headers
  own.set('x-request-id', c.get('requestId' as never))
  own.set('access-control-allow-origin', '*') // there are no cookies, so any origin may ask
  own.set('access-control-expose-headers', exposed)
  if (!own.has('cache-control')) own.set('cache-control', 'private, no-store')
  if (own.has('ratelimit')) return // a refusal tells of the limit that it ran into
  for (const [name, value] of Object.entries(c.get('allowance') ?? {})) own.set(name, value)
})

/** Answers what a browser asks before it sends a request of ours from another origin. */
const preflight = createMiddleware<AppEnv>(async function answerPreflight(c, next) {
  return c.req.method === 'OPTIONS' ? allow(c, next) : next()
})

/** What every request passes through before any route: id, headers, CORS, context and body limit. */
export const edge = [
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
  headers,
  preflight,
  context,
  body,
] as const

const AUTHORIZATION = 'The Authorization header must be: Bearer TOKEN'

function tokenIn(header: string): string {
  const token = /^Bearer ([\w.-]{20,4096})$/i.exec(header)?.[1]
  if (!token) throw (/^Bearer\b/i.test(header) ? unauthorized : tokenMissing)(AUTHORIZATION)
  return token
}

/** Most requests bring a token that was looked at before: those do without a second look. */
function rememberedIn(ctx: Ctx, header: string): Viewer | null {
  return /^Bearer /i.test(header) ? rememberedViewer(ctx, header.slice('Bearer '.length)) : null
}

/** Reads the bearer token, if there is one. A token that does not hold is refused even where none is needed. */
export function authentication(keys: KeySource, accountStatusOf: AccountStatusSource) {
  return createMiddleware<AppEnv>(async function authenticate(c, next) {
    c.set('accountStatusOf', accountStatusOf)
    const header = c.req.header('authorization')
    if (header !== undefined) {
      const { ctx } = c.var
      ctx.viewer = rememberedIn(ctx, header) ?? (await verifyAccessToken(ctx, tokenIn(header), keys))
    }
    await next()
  })
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** What is answered when no route matched or something was thrown: a page, or else a problem. */
export function edgeFallbacks(app: OpenAPIHono<AppEnv>): void {
  app.notFound(async (c) => {
    const offered: string[] = METHODS.filter((method) => isRoute(app, method, c.req.path))
    if (offered.length === 0) {
      const page = await assetResponse(c)
      if (!page) return answerError(c, notFound())
      if (c.req.method === 'GET' || c.req.method === 'HEAD') return page
      offered.push('GET')
    }
    const allow = [...offered, ...(offered[0] === 'GET' ? ['HEAD'] : []), 'OPTIONS'].join(', ')
    return answerError(c, new Failure('method_not_allowed', undefined, { headers: { allow } }))
  })
  app.onError((error, c) => {
    const failure = toFailure(error)
    if (failure.code === 'internal' || failure.code === 'unavailable') {
      ;(c.var.ctx?.log ?? log).error('a request failed', { route: routePath(c), error })
    }
    return answerError(c, failure)
  })
}

/** Whether a handler, not only middleware for every method, answers there. */
function isRoute(app: OpenAPIHono<AppEnv>, method: string, path: string): boolean {
  const [matches] = app.router.match(method, path)
  return matches.some(([[, route]]) => route.method === method)
}
