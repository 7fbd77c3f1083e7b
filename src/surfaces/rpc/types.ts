import type { z } from '@hono/zod-openapi'
import type { Id } from '../../platform/data/ids.ts'
import type { Operation } from '../../platform/http/operation.ts'
import type { Cost } from '../../platform/observability/cost.ts'

/** The code and status are those of REST (RFC 9457). */
export type RpcError = {
  code: string
  status: number
  title: string
  detail?: string
  errors?: { field: string; message: string }[]
  retryAfter?: number // seconds
}

export type RpcOutcome<T> =
  | {
      ok: true
      value: T
      replayed: boolean // an earlier call with the same `idempotencyKey` created the value
      bookmarks: string | null // of a write: with them, later calls and requests see it
    }
  | { ok: false; error: RpcError }

/** The result of every call. Failures are values, because an error that crosses to another Worker may lose its fields. */
export type RpcResult<T> = RpcOutcome<T> & {
  requestId: string // in the log lines of the call
  cost?: Cost // in development
}

/** The second argument of every call. */
export type Call = {
  /** The account that acts. Without it, the system acts, which may call public operations only. */
  as?: string
  /** A repeat with the same key within a day creates nothing new. */
  idempotencyKey?: string
  bookmarks?: string // of the latest write
  requestId?: string // joins the log lines of several calls
}

/** Callers pass ids as strings, and files as Blobs: a File cannot cross to another Worker. */
type Plain<T> = T extends File
  ? Blob
  : T extends Id
    ? string
    : T extends readonly (infer Item)[]
      ? Plain<Item>[]
      : T extends Blob | string | number | boolean | null | undefined
        ? T
        : { [Field in keyof T]: Plain<T[Field]> }

/** Queries are texts over HTTP. Here they have the types that the operation gets. */
type Values<Given, Parsed> = { [Name in keyof Given]: Name extends keyof Parsed ? Plain<Parsed[Name]> : never }
type QueryOf<Q> = Q extends z.ZodType ? Values<z.input<Q>, z.output<Q>> : unknown
type InputOf<S> = S extends z.ZodType ? Plain<z.input<S>> : unknown
type ViewOf<R> = R extends z.ZodType ? z.output<R> : null
type CallOf<Access> = Access extends 'public' ? [call?: Call] : [call: Call & { as: string }]

type Types<O> = O extends { types?: infer T } ? NonNullable<T> : never
type MethodOf<T> = T extends { access: infer A; returns: infer R; params: infer P; query: infer Q; body: infer B }
  ? (input: InputOf<P> & QueryOf<Q> & InputOf<B>, ...call: CallOf<A>) => Promise<RpcResult<ViewOf<R>>>
  : never

/** The name of an operation that other Workers may call; never for others. */
type OfferedId<O> = O extends { id: infer Name extends string; types?: { fresh: false; noRpc: undefined } | undefined }
  ? string extends Name
    ? never
    : Name
  : never

type Declared = { rpc?: string; operations?: readonly Operation[] }
type OperationsOf<Services extends Declared, Name> = NonNullable<Extract<Services, { rpc: Name }>['operations']>[number]

/** The methods of an RPC service: one per operation of the services that belong to it. */
export type Methods<Services extends Declared, Name extends string> = {
  [O in OperationsOf<Services, Name> as OfferedId<O>]: MethodOf<Types<O>>
}
