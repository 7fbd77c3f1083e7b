import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** The stable code, status and title of a failure (RFC 9457). */
export type FailureKind = { code: string; status: ContentfulStatusCode; title: string }

const kinds = new Map<string, FailureKind>()

/** Declares a failure. Its code is part of the API contract and never changes. */
export function defineFailure(code: string, status: ContentfulStatusCode, title: string): FailureKind {
  if (kinds.has(code)) throw new Error(`the failure ${code} is declared twice`)
  const kind = { code, status, title }
  kinds.set(code, kind)
  return kind
}

export function declaredFailures(): readonly FailureKind[] {
  return [...kinds.values()]
}

const common = {
  bad_request: defineFailure('bad_request', 400, 'The request is malformed'),
  unauthorized: defineFailure('unauthorized', 401, 'A valid access token is required'),
  forbidden: defineFailure('forbidden', 403, 'This is not allowed'),
  insufficient_scope: defineFailure('insufficient_scope', 403, 'The token lacks the required scope'),
  fresh_login_required: defineFailure('fresh_login_required', 403, 'The credentials must be entered again'),
  suspended: defineFailure('suspended', 403, 'This account is suspended'),
  not_found: defineFailure('not_found', 404, 'Nothing was found here'),
  method_not_allowed: defineFailure('method_not_allowed', 405, 'This method is not supported here'),
  request_timeout: defineFailure('request_timeout', 408, 'The body took too long to arrive'),
  conflict: defineFailure('conflict', 409, 'The request conflicts with the current state'),
  too_large: defineFailure('too_large', 413, 'The body is too large'),
  unsupported_media_type: defineFailure('unsupported_media_type', 415, 'This content type is not supported'),
  range_not_satisfiable: defineFailure('range_not_satisfiable', 416, 'The range is outside the content'),
  invalid: defineFailure('invalid', 422, 'Some fields are invalid'),
  idempotency_mismatch: defineFailure(
    'idempotency_mismatch',
    422,
    'The Idempotency-Key was used with a different request',
  ),
  rate_limited: defineFailure('rate_limited', 429, 'Too many requests'),
  quota_exceeded: defineFailure('quota_exceeded', 429, 'The daily quota is used up'),
  internal: defineFailure('internal', 500, 'An internal error occurred'),
  unavailable: defineFailure('unavailable', 503, 'A part of the system is unavailable'),
}
export type Code = keyof typeof common

export function kindOf(code: Code | FailureKind): FailureKind {
  return typeof code === 'string' ? common[code] : code
}

type FieldError = { field: string; message: string }

/** Thrown by operations and the platform. `http/problems.ts` is the one place that turns it into a REST response. */
export class Failure extends Error {
  readonly kind: FailureKind
  readonly detail: string | undefined
  readonly extra: { errors?: FieldError[]; headers?: Record<string, string> }

  constructor(code: Code | FailureKind, detail?: string, extra: Failure['extra'] = {}) {
    const kind = kindOf(code)
    super(detail ?? kind.title)
    this.kind = kind
    this.detail = detail
    this.extra = extra
  }

  get code(): string {
    return this.kind.code
  }
}

/** The same failure for absent and for hidden records, so that the response does not reveal which of the two it is. */
export function notFound(): Failure {
  return new Failure('not_found')
}

export function invalid(field: string, message: string): Failure {
  return new Failure('invalid', undefined, { errors: [{ field, message }] })
}

/** 503 with Retry-After in seconds. */
export function unavailable(retryAfter: number, detail?: string): Failure {
  return new Failure('unavailable', detail, { headers: { 'retry-after': String(retryAfter) } })
}

/** The messages of an error and its causes, without SQL parameters, which may be personal data. */
export function messagesOf(error: unknown): string[] {
  const messages: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) messages.push(messageOf(cause))
  return messages
}

/** An error's message without the SQL parameters that drizzle appends. */
export function messageOf(error: Error): string {
  return error.message.split('\nparams:', 1)[0] ?? ''
}
