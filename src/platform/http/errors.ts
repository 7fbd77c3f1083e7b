import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { messageOf } from '../observability/log.ts'
import { zodMessage } from './zod-messages.ts'

z.config({ customError: zodMessage })

/** Stable machine-readable codes; `title` is fixed per code, `detail` tells the occurrence (RFC 9457). */
export const codes = {
  bad_request: [400, 'The request is not well formed'],
  unauthorized: [401, 'A valid access token is needed'],
  invalid_credentials: [401, 'The credentials do not match'],
  forbidden: [403, 'This is not allowed'],
  insufficient_scope: [403, 'The token lacks the scope that this needs'],
  suspended: [403, 'This account is suspended'],
  not_found: [404, 'There is nothing here'],
  method_not_allowed: [405, 'This method is not offered here'],
  conflict: [409, 'This conflicts with what is already there'],
  handle_taken: [409, 'The handle is taken'],
  too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'This kind of content is not accepted'],
  range_not_satisfiable: [416, 'The range lies outside of the content'],
  invalid: [422, 'Some fields are not valid'],
  idempotency_mismatch: [422, 'The Idempotency-Key was used for another request'],
  rate_limited: [429, 'Too many requests'],
  internal: [500, 'Something went wrong on our side'],
  unavailable: [503, 'A part of the system is not answering'],
} as const satisfies Record<string, readonly [ContentfulStatusCode, string]>
export type Code = keyof typeof codes

/** The body of every error: RFC 9457 problem details, with a stable `code` and, when fields are wrong, one entry each. */
export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(codes) as [Code, ...Code[]]),
    detail: z.string().optional(),
    instance: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .openapi('Problem')
type FieldError = { field: string; message: string }

/** Thrown by verbs and platform alike; mapped to problem+json in one place, `answerError`. */
export class Failure extends Error {
  readonly code: Code
  readonly detail: string | undefined
  readonly extra: { errors?: FieldError[]; headers?: Record<string, string> }

  constructor(code: Code, detail?: string, extra: Failure['extra'] = {}) {
    super(detail ?? codes[code][1])
    this.code = code
    this.detail = detail
    this.extra = extra
  }
}

/** The same answer for what is absent and for what the viewer may not see. */
export function notFound(): Failure {
  return new Failure('not_found')
}

/** 422 with one entry for the field that a verb, not the schema, found wrong. */
export function invalid(field: string, message: string): Failure {
  return new Failure('invalid', undefined, { errors: [{ field, message }] })
}

/** Of a body with thousands of wrong fields the first ones say enough. */
const MAX_ENTRIES = 20

/** 422 from a schema: one entry per wrong or unknown field, `field` as a dotted path; the first 20 of them. */
export function invalidBySchema(error: z.ZodError): Failure {
  const errors = error.issues.flatMap(entriesOf).slice(0, MAX_ENTRIES)
  return new Failure('invalid', undefined, { errors })
}

function entriesOf(issue: z.core.$ZodIssue): FieldError[] {
  const { path, message } = issue
  const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path]
  return paths.map((names) => ({ field: names.join('.'), message }))
}

/** The constraint (`table.column`, or several) that a failed statement ran into, or null. */
export function constraintOf(error: unknown): string | null {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const found = /(?:UNIQUE|NOT NULL) constraint failed: ([\w., ]+)/.exec(cause.message)
    if (found) return found[1]!.trim()
  }
  return null
}

// What D1, Durable Objects, KV and R2 say when it was not the request's fault and may be over in a moment.
const TRANSIENT =
  /overloaded|database is locked|Network connection lost|storage caused object to be reset|timed? ?out|because its code was updated|transient issue|internal error|no answer within|(memory|CPU time) limit|please try again|too many requests|reduce your .*rate/i

/** Turns whatever was thrown into the failure that the client is told of; what we did not foresee is `internal`. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof HTTPException) return fromHono(error)
  if (TRANSIENT.test(causes(error))) {
    return new Failure('unavailable', undefined, { headers: { 'retry-after': '2' } })
  }
  return new Failure('internal')
}

function causes(error: unknown): string {
  const messages: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) messages.push(messageOf(cause))
  return messages.join(': ')
}

function fromHono(error: HTTPException): Failure {
  const code = (Object.keys(codes) as Code[]).find((name) => codes[name][0] === error.status)
  if (code === 'unsupported_media_type') {
    return new Failure(code, 'Send it as content-type application/json, or an upload as multipart/form-data')
  }
  return new Failure(code ?? 'internal', error.message || undefined)
}

/** The problem+json response for a failure. */
export function answerError(c: Context, failure: Failure): Response {
  const [status, title] = codes[failure.code]
  const body = {
    type: `urn:socialconnect:problem:${failure.code}`,
    title,
    status,
    code: failure.code,
    detail: failure.detail,
    instance: new URL(c.req.url).pathname,
    errors: failure.extra.errors,
  }
  // Set on the context first: where both carry a header, hono prefers what was set before to what is answered.
  for (const [name, value] of Object.entries(failure.extra.headers ?? {})) c.header(name, value)
  return c.body(JSON.stringify(body), status, { 'content-type': 'application/problem+json; charset=utf-8' })
}
