import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { Ctx, UserCtx } from '../context.ts'
import { type Access, type AccountStatusSource, authorize, type Scope } from '../security/access.ts'
import { type LimitName, spend } from '../security/rate-limit.ts'
import { strictJson } from './body.ts'
import { type Code, codes, Failure, invalidBySchema, Problem } from './errors.ts'

type Own = {
  /** The client's address. */
  address: string
  /** The headers that tell what is left of the caller's budget. */
  allowance?: Record<string, string>
  accountStatusOf: AccountStatusSource
}
export type AppEnv = { Variables: Own & { ctx: Ctx } }
type ContextFor<A extends Access> = { Variables: Own & { ctx: A extends 'public' ? Ctx : UserCtx } }

type BodyType = 'application/json' | 'multipart/form-data'

type Options<A extends Access, P, Q, B, R, S extends number, T extends BodyType> = {
  /** The operation's name: unique, a verb and a noun. */
  id: string
  method: 'get' | 'put' | 'post' | 'patch' | 'delete'
  path: string
  access: A
  /** Needed of a token's scopes, whenever there is a token. */
  scope?: Scope
  summary: string
  /** What the summary has no room for. */
  description?: string
  params?: P
  query?: Q
  /** The body's schema; JSON unless `bodyType` says otherwise. Make it strict, so that unknown fields are refused. */
  body?: B
  bodyType?: T
  /** A body that the document shows. */
  example?: unknown
  /** The schema of the answer, or what stands for one without a body (204) or of another kind. */
  returns: R
  status?: S
  /** The media type of an answer that is no JSON. */
  binary?: string
  /** Further answers without a body of their own kind, by status. */
  also?: Record<number, string>
  /** A budget beside the general one, spent per client address. */
  limit?: LimitName
  /** Whether a repeated `Idempotency-Key` answers with what the first made. */
  idempotent?: boolean
  /** Failures that this operation may answer with, beside those that every operation may. */
  fails?: Code[]
}

/** No JSON body without an example. */
type Shown<B, T extends BodyType> = B extends z.ZodType
  ? T extends 'application/json'
    ? { example: z.input<B> }
    : { example?: never }
  : { example?: never }

const IdempotencyKey = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(255)
    .optional()
    .openapi({ description: 'Retries with the same key make nothing twice, for 24 hours' }),
})

const Bytes = z.string().openapi({ format: 'binary' })

type Json<T> = { content: { 'application/json': { schema: T } } }
type Body<B, T extends string> = B extends z.ZodType
  ? { body: { required: true; content: { [K in T]: { schema: B } } } }
  : object
type Response<R> = R extends z.ZodType ? Json<R> & { description: string } : { description: string }

/**
 * The contract of one operation: what `@hono/zod-openapi` needs, who may call it, and what it may fail with.
 * The document carries `x-access`, `x-scope` and `x-limit`; the guard in front of the handler enforces them.
 */
export function route<
  A extends Access,
  R extends z.ZodType | null,
  P extends z.ZodObject | undefined = undefined,
  Q extends z.ZodObject | undefined = undefined,
  B extends z.ZodType | undefined = undefined,
  const S extends number = 200,
  T extends BodyType = 'application/json',
>(o: Options<A, P, Q, B, R, S, T> & Shown<B, T>) {
  const type = o.bodyType ?? 'application/json'
  const status = o.status ?? 200
  // A token that does not hold is refused even where none is needed.
  const always: Code[] = ['unauthorized', 'suspended', 'invalid', 'rate_limited', 'unavailable', 'internal']
  const failures = [...always, ...(o.fails ?? [])]
  if (o.access === 'moderator' || o.access === 'admin') failures.push('forbidden')
  if (o.scope) failures.push('insufficient_scope')
  if (o.params) failures.push('not_found')
  if (o.body) failures.push('bad_request', 'too_large', 'unsupported_media_type')
  const config = {
    operationId: o.id,
    method: o.method,
    path: o.path,
    summary: o.summary,
    ...(o.description && { description: o.description }),
    'x-access': o.access,
    ...(o.scope && { 'x-scope': o.scope }),
    ...(o.limit && { 'x-limit': o.limit }),
    ...(o.idempotent && { 'x-idempotent': true }),
    security: securityOf(o.access, o.scope),
    middleware: [guard(o.access, o.scope ?? null, o.limit), ...(o.body ? [strictJson] : [])],
    request: {
      ...(o.params && { params: o.params }),
      ...(o.query && { query: o.query }),
      ...(o.idempotent && { headers: IdempotencyKey }),
      ...(o.body && { body: { required: true, content: { [type]: { schema: o.body, example: o.example } } } }),
    },
    responses: {
      [status]: {
        description: o.summary,
        ...(o.returns && { content: { 'application/json': { schema: o.returns } } }),
        ...(o.binary && { content: { [o.binary]: { schema: Bytes } } }),
      },
      ...Object.fromEntries(Object.entries(o.also ?? {}).map(([code, description]) => [code, { description }])),
      ...problems(failures),
    },
  }
  return createRoute(config as never) as unknown as Contract<A, P, Q, B, R, S, T>
}

/** The type that makes `c.req.valid`, `c.json` and `c.var.ctx` exact; problems are thrown, so they do not appear. */
type Contract<A extends Access, P, Q, B, R, S extends number, T extends string> = {
  method: 'get'
  path: string
  middleware: [MiddlewareHandler<ContextFor<A>>]
  request: (P extends z.ZodObject ? { params: P } : object) &
    (Q extends z.ZodObject ? { query: Q } : object) &
    Body<B, T>
  responses: { [K in S]: Response<R> }
}

/** Where everyone may call, a token is asked for nothing but its scope: it may be left out, and shows more if it is not. */
function securityOf(access: Access, scope: Scope | undefined): Record<string, string[]>[] {
  const needed = { bearer: scope ? [scope] : [] }
  if (access !== 'public') return [needed]
  return scope ? [needed, {}] : []
}

function problems(failures: Code[]) {
  const byStatus = new Map<number, Code[]>()
  for (const code of new Set(failures)) byStatus.set(codes[code][0], [...(byStatus.get(codes[code][0]) ?? []), code])
  const entries = [...byStatus].map(([status, list]) => [
    status,
    { description: list.join(', '), content: { 'application/problem+json': { schema: Problem } } },
  ])
  return Object.fromEntries(entries)
}

/** Spends from the caller's budgets and decides whether it may come in. Every route made with `route` has one. */
function guard(access: Access, scope: Scope | null, limit: LimitName | undefined) {
  return createMiddleware<AppEnv>(async function guardRoute(c, next) {
    const { ctx, address } = c.var
    const general = ctx.viewer ? await spend(ctx, 'user', ctx.viewer.id) : await spend(ctx, 'anonymous', address)
    c.set('allowance', general.headers)
    authorize(ctx, access, scope, general.standing ?? (ctx.viewer && (await c.var.accountStatusOf(ctx, ctx.viewer))))
    if (limit) await spend(ctx, limit, address)
    const key = c.req.header('idempotency-key')
    if (key !== undefined && key.length <= 255) ctx.idempotencyKey = key
    await next()
  }) as unknown as MiddlewareHandler<ContextFor<Access>>
}

/** A service's routes: schemas are checked before the handler, and what fails is a problem with one entry per field. */
export function routes() {
  return new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (result.success) return
      if (result.target === 'param') throw new Failure('not_found')
      throw invalidBySchema(result.error)
    },
  })
}
