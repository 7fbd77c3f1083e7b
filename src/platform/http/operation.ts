import type { z } from '@hono/zod-openapi'
import type { StatusCode } from 'hono/utils/http-status'
import type { Ctx, UserCtx } from '../context.ts'
import type { Made } from '../data/idempotency.ts'
import type { Code, FailureKind } from '../failures.ts'
import { type Access, roleFor } from '../security/access.ts'
import type { RequestCtx, Rule } from '../security/admit.ts'
import { requireAction } from '../security/authorize.ts'
import type { Thing } from '../security/decide.ts'
import type { Table } from './csv.ts'

type Part = z.ZodObject | undefined
type Body = z.ZodType<object> | undefined
type BodyType = 'application/json' | 'multipart/form-data'

/** Announces the end of an operation: dates like `2027-01-31`, and the URL of a page that says what to use instead. */
export type Deprecation = { since: string; sunset: string; link: string }

/** What every surface, such as REST, needs to know about an operation. */
export type Contract = Rule & {
  /** Unique. A verb, usually with a noun, like `likePost`. */
  id: string
  method: 'get' | 'put' | 'post' | 'patch' | 'delete'
  /** Relative to the mount of its service. `{name}` is a parameter. */
  path: string
  summary: string
  description?: string
  params?: z.ZodObject
  query?: z.ZodObject
  /** Use a strict object, so that unknown fields are rejected. */
  body?: z.ZodType
  bodyType?: BodyType
  example?: unknown
  status?: StatusCode
  /** Whether the operation accepts an `Idempotency-Key`: a repeated request then returns what the first one created. */
  idempotent?: boolean
  cacheControl?: string
  /** Seconds for which the answer to callers without credentials may be given to others. It must not depend on anything but the input. */
  shared?: number
  /** What the verb of a GET changes. It then runs after its caller was admitted; other GETs run meanwhile. */
  effect?: string
  /** Why GraphQL leaves the operation out. */
  restOnly?: string
  /** Why other Workers cannot call the operation. */
  noRpc?: string
  /** Failures besides the general ones and those implied by access, scope, params and body. */
  fails?: (Code | FailureKind)[]
  deprecated?: Deprecation
}

export type VerbOperation = Contract & {
  returns: z.ZodType | null
  /** For 201: the path of the created resource, relative to the mount. */
  location?: (view: never) => string
  /** How the answer of a GET becomes a table, for clients that ask for CSV. Its query has `format`. */
  csv?: (view: never) => Table
  run: (ctx: never, input: never) => unknown
}

/** An operation that builds the HTTP response itself, such as a stream or a WebSocket upgrade. */
export type ResponderOperation = Contract & {
  mediaTypes?: string[]
  /** Opens a WebSocket, which the AsyncAPI document describes. */
  isSocket?: true
  /** Further success statuses, with their descriptions. */
  also?: Record<number, string>
  /** Headers of every success besides the general ones, with their descriptions. */
  headers?: Record<string, string>
  respond: (ctx: RequestCtx, input: never, request: Request) => Promise<Response>
}

export type Operation = VerbOperation | ResponderOperation

/** An operation with the types of its contract, for surfaces whose callers are typed. */
export type TypedOperation<
  Name extends string,
  A extends Access,
  R extends z.ZodType | null,
  P extends Part,
  Q extends Part,
  B extends Body,
  Fresh extends boolean,
  NoRpc extends string | undefined,
> = VerbOperation & {
  id: Name
  /** Exists for the compiler only. */
  types?: { access: A; returns: R; params: P; query: Q; body: B; fresh: Fresh; noRpc: NoRpc }
}

type ContextOf<A extends Access> = A extends 'public' ? Ctx : UserCtx
type Parsed<T> = T extends z.ZodType ? z.output<T> : unknown
/** Path parameters, query and body, merged. */
type Input<P, Q, B> = Parsed<P> & Parsed<Q> & Parsed<B>
// biome-ignore lint/suspicious/noConfusingVoidType: a verb without a view returns nothing
type View<R> = R extends z.ZodType ? z.input<R> : void
type Answer<R, I> = I extends true ? Made<View<R>> : View<R>

type Parts<A extends Access, P extends Part, Q extends Part, B extends Body> = Omit<
  Contract,
  'example' | 'id' | 'fresh' | 'noRpc'
> & {
  access: A
  params?: P
  query?: Q
  body?: B
}
/** Every JSON body has an example that fits its schema. */
type Example<B, T> = B extends z.ZodType
  ? T extends 'multipart/form-data'
    ? { bodyType: T; example?: never }
    : { example: z.input<B> }
  : { example?: never }
/** 201 requires a location. */
type Created<R, S, I> = S extends 201
  ? { status: S; location: (view: View<R>) => string }
  : { status?: S; location?: never; idempotent?: I }

/**
 * Declares an operation. The compiler checks `run`: `access` decides the type of its context, its input is path, query
 * and body merged, and its result must fit `returns`. Surfaces call `run` after `admit`.
 * @example
 * operation({ id: 'likePost', method: 'put', path: '/posts/{postId}/like', access: 'user', scope: writePosts,
 *   params: PostPath, returns: Post, run: likePost, summary: 'Like a post' })
 */
export function operation<
  const Name extends string,
  A extends Access,
  R extends z.ZodType | null,
  P extends Part = undefined,
  Q extends Part = undefined,
  B extends Body = undefined,
  S extends StatusCode = 200,
  I extends boolean = false,
  T extends BodyType = 'application/json',
  Fresh extends boolean = false,
  NoRpc extends string | undefined = undefined,
>(
  definition: Parts<A, P, Q, B> & {
    id: Name
    returns: R
    idempotent?: I
    bodyType?: T
    fresh?: Fresh
    noRpc?: NoRpc
    csv?: (view: View<R>) => Table
    run: (ctx: ContextOf<A>, input: Input<P, Q, B>) => Answer<R, I> | Promise<Answer<R, I>>
  } & Example<B, T> &
    Created<R, S, I>,
): TypedOperation<Name, A, R, P, Q, B, Fresh, NoRpc> {
  return definition
}

export function responder<P extends Part = undefined, Q extends Part = undefined>(
  definition: Omit<ResponderOperation, 'respond'> & {
    params?: P
    query?: Q
    respond: (ctx: RequestCtx, input: Input<P, Q, undefined>, request: Request) => Promise<Response>
  },
): ResponderOperation {
  return definition
}

/** Requires a request that passed `admit`, and `input` that was parsed by the operation's schemas. */
export async function runVerb(operation: VerbOperation, ctx: Ctx, input: object): Promise<unknown> {
  const { run, action, access } = operation
  if (action && ctx.viewer) {
    await requireAction(ctx, { action, role: roleFor(access, ctx.viewer) }, thingIn(operation, input))
  }
  return run(ctx as never, input as never)
}

/** What the path names: `/posts/{postId}` names a post. Rules about its owner decide in the verb, which reads it. */
function thingIn({ path }: Contract, input: object): Thing | null {
  const [, kind] = /\{(\w+)Id\}/.exec(path) ?? []
  return kind ? { kind, id: String(Reflect.get(input, `${kind}Id`)), ownerId: null } : null
}

export function successOf(operation: Operation): StatusCode {
  if (operation.status !== undefined) return operation.status
  return 'run' in operation && operation.returns === null ? 204 : 200
}
