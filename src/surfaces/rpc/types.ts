import type { z } from '@hono/zod-openapi'
import type { Id } from '../../platform/data/ids.ts'
import type { Operation } from '../../platform/http/operation.ts'
import type { Cost } from '../../platform/observability/cost.ts'

/** Why an operation failed. The codes and statuses are those of REST (RFC 9457), and `errors` has one entry per field. */
export type RpcError = {
  code: string
  status: number
  title: string
  detail?: string
  errors?: { field: string; message: string }[]
  /** Seconds after which to try again. */
  retryAfter?: number
}

export type RpcOutcome<T> =
  | {
      ok: true
      value: T
      /** Whether an earlier call with the same `idempotencyKey` created the value. */
      replayed: boolean
      /** After a write: send it with later calls or requests, so that they see the write. Otherwise null. */
      bookmarks: string | null
    }
  | { ok: false; error: RpcError }

/** The result of every call. Failures are values, because an error that crosses to another Worker may lose its fields. */
export type RpcResult<T> = RpcOutcome<T> & {
  /** The id in the log lines of the call. */
  requestId: string
  /** What the call used. Only in development. */
  cost?: Cost
}

/** The second argument of every call. */
export type Call = {
  /** The account that acts. Without it, the system acts, which may call public operations only. */
  as?: string
  /** Repeating a call with the same key within a day creates nothing new. For operations that create something. */
  idempotencyKey?: string
  /** The `bookmarks` of the latest write that this call should see. */
  bookmarks?: string
  /** Joins the log lines of several calls; up to 64 letters, digits, `_`, `-` and `=`. */
  requestId?: string
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

/** Queries are texts over HTTP. Here they have the types that the operation gets, such as numbers and lists. */
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
