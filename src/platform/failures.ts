import type { ContentfulStatusCode } from 'hono/utils/http-status'

/** The stable code, status and title of a failure (RFC 9457), what it means, and what a client should do. */
export type FailureKind = {
  code: string
  status: ContentfulStatusCode
  title: string
  meaning: string
  action: string
}

const kinds = new Map<string, FailureKind>()

/** Declares a failure. Its code is part of the API contract and never changes. */
export function defineFailure(
  code: string,
  status: ContentfulStatusCode,
  title: string,
  help: Pick<FailureKind, 'meaning' | 'action'>,
): FailureKind {
  if (kinds.has(code)) throw new Error(`the failure ${code} is declared twice`)
  const kind = { code, status, title, ...help }
  kinds.set(code, kind)
  return kind
}

export function declaredFailures(): readonly FailureKind[] {
  return [...kinds.values()]
}

const common = {
  bad_request: defineFailure('bad_request', 400, 'The request is malformed', {
    meaning: 'The request cannot be parsed: the JSON, the encoding of a text, a header or the URL is wrong.',
    action: 'Do not repeat the request unchanged. `detail` says what is wrong.',
  }),
  unauthorized: defineFailure('unauthorized', 401, 'A valid access token is required', {
    meaning: 'The request has no token, or one that has expired, was revoked or is not ours.',
    action:
      'Refresh the tokens with `refreshLogin` and repeat the request. If that fails too, let the user log in again.',
  }),
  forbidden: defineFailure('forbidden', 403, 'This is not allowed', {
    meaning: 'The caller is known, but may not do this: the role or the state of the record does not allow it.',
    action: 'Do not repeat the request. Do not offer this action to the user.',
  }),
  insufficient_scope: defineFailure('insufficient_scope', 403, 'The token lacks the required scope', {
    meaning: 'The token is valid, but was not granted the scope in `x-scope` of the operation.',
    action: 'Ask the user for a token with this scope.',
  }),
  fresh_login_required: defineFailure('fresh_login_required', 403, 'The credentials must be entered again', {
    meaning: 'The operation is sensitive, and the password was entered too long ago.',
    action: 'Ask for the password, send it to `confirmLogin`, and repeat the request.',
  }),
  suspended: defineFailure('suspended', 403, 'This account is suspended', {
    meaning: 'A moderator has suspended the account. None of its tokens are accepted.',
    action: 'Tell the user, and stop sending requests with this login.',
  }),
  not_found: defineFailure('not_found', 404, 'Nothing was found here', {
    meaning: 'The record or path does not exist, or the caller may not see it. The response does not tell which.',
    action: 'Treat the record as deleted and remove it from what you show.',
  }),
  method_not_allowed: defineFailure('method_not_allowed', 405, 'This method is not supported here', {
    meaning: 'The path exists, but not for this method.',
    action: 'Use one of the methods in the header `Allow`.',
  }),
  request_timeout: defineFailure('request_timeout', 408, 'The body took too long to arrive', {
    meaning: 'The body did not arrive within the time that the documentation states. Nothing was stored.',
    action: 'Repeat the request on a better connection, with the same `Idempotency-Key` if it has one.',
  }),
  conflict: defineFailure('conflict', 409, 'The request conflicts with the current state', {
    meaning: 'The record has changed, or another record forbids the change.',
    action: 'Read the record again and decide whether the request still makes sense.',
  }),
  too_large: defineFailure('too_large', 413, 'The body is too large', {
    meaning: 'The body exceeds the limit of the operation. Nothing was stored.',
    action: 'Send less. `getLimits` returns the limits of posts and images.',
  }),
  unsupported_media_type: defineFailure('unsupported_media_type', 415, 'This content type is not supported', {
    meaning: 'The `Content-Type` or `Content-Encoding` of the body is not one that the operation reads.',
    action: 'Send the content type that the API document names, without a content encoding.',
  }),
  range_not_satisfiable: defineFailure('range_not_satisfiable', 416, 'The range is outside the content', {
    meaning: 'The header `Range` asks for bytes after the end of the file.',
    action: 'Use the size in the header `Content-Range`, or omit `Range`.',
  }),
  invalid: defineFailure('invalid', 422, 'Some fields are invalid', {
    meaning: 'The request can be parsed, but some fields are missing, unknown or not allowed.',
    action: 'Show each entry of `errors` beside its field. Do not repeat the request unchanged.',
  }),
  idempotency_mismatch: defineFailure(
    'idempotency_mismatch',
    422,
    'The Idempotency-Key was used with a different request',
    {
      meaning: 'The account has already used this `Idempotency-Key` with another body.',
      action: 'Use a new random key for each new request, and the same key only for repetitions.',
    },
  ),
  rate_limited: defineFailure('rate_limited', 429, 'Too many requests', {
    meaning: 'The account or the client address has sent more requests than its limit allows.',
    action: 'Wait for the seconds in `Retry-After`. The header `RateLimit` tells in advance what is left.',
  }),
  quota_exceeded: defineFailure('quota_exceeded', 429, 'The daily quota is used up', {
    meaning: 'The account has created as much today (UTC) as `getLimits` allows. Nothing was stored.',
    action: 'Wait for the seconds in `Retry-After`, which is until the next day.',
  }),
  internal: defineFailure('internal', 500, 'An internal error occurred', {
    meaning: 'The server has a fault. Whether the request took effect is unknown.',
    action:
      'Repeat a GET, PUT or DELETE once, and a POST only with the same `Idempotency-Key`. Report the `X-Request-Id`.',
  }),
  unavailable: defineFailure('unavailable', 503, 'A part of the system is unavailable', {
    meaning: 'A database or another part of the system is overloaded or does not respond.',
    action: 'Repeat the request after the seconds in `Retry-After`, a POST only with the same `Idempotency-Key`.',
  }),
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
  /** `members`: extension members of the problem document. */
  readonly extra: { errors?: FieldError[]; headers?: Record<string, string>; members?: object }

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
