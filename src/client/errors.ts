import type { FieldError, PendingRegistration, Problem, SecondFactor } from './wire.ts'

/**
 * The codes of the API, and three of the client. `network_error`: no response arrived, so it is unknown whether the
 * request had an effect. `session_ended`: the login has ended, so a person must log in again. `unexpected_response`:
 * the response is not one of the API.
 */
export type Code = Problem['code'] | 'network_error' | 'session_ended' | 'unexpected_response'

type Facts = {
  status: number
  code: Code
  title: string
  detail?: string
  fields?: FieldError[]
  secondFactor?: SecondFactor
  registration?: PendingRegistration
  registrationToken?: string
  requestId?: string
  retryAfter?: number
  cause?: unknown
}

/** Every failure of a call, except that an aborted call throws the reason of its signal. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  /** The HTTP status; 0 if no response arrived. */
  readonly status: number
  readonly code: Code
  readonly title: string
  readonly detail?: string
  /** One entry per invalid field: its dotted path, and what is wrong with it. */
  readonly fields: FieldError[]
  /** What a login with `second_factor_required` still needs. */
  readonly secondFactor?: SecondFactor
  /** What a registration with a provider needs, with `registration_required`. */
  readonly registration?: PendingRegistration
  readonly registrationToken?: string
  /** Quote it when you report a problem. */
  readonly requestId?: string
  /** Seconds to wait before the next attempt. */
  readonly retryAfter?: number

  constructor(facts: Facts) {
    const { status, code, title, detail, fields = [], secondFactor, requestId, retryAfter, cause } = facts
    super(detail ?? title, { cause })
    this.status = status
    this.code = code
    this.title = title
    this.detail = detail
    this.fields = fields
    this.secondFactor = secondFactor
    this.registration = facts.registration
    this.registrationToken = facts.registrationToken
    this.requestId = requestId
    this.retryAfter = retryAfter
  }
}

export const isCode = (error: unknown, code: Code): boolean => error instanceof ApiError && error.code === code

/** Whether the API refused the request for good, so that repeating it changes nothing. A proxy cannot say so. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof ApiError &&
  error.code !== 'unexpected_response' &&
  error.status >= 400 &&
  error.status < 500 &&
  ![408, 429].includes(error.status)

/** Whether the request may have had its effect all the same. */
export const isUncertain = (error: unknown): boolean =>
  error instanceof ApiError && (error.status >= 500 || error.code === 'network_error')

/** Whether a refresh failed because the token is no longer valid, or never was. */
export const endsLogin = (error: unknown): boolean =>
  (['invalid_credentials', 'suspended', 'invalid'] as const).some((code) => isCode(error, code))

/** The error that a response describes (RFC 9457). */
export function errorOf({ status, headers }: Response, text: string): ApiError {
  const problem: Partial<Problem> = parseJson(headers, text) ?? {}
  return new ApiError({
    status,
    code: problem.code ?? 'unexpected_response',
    title: problem.title ?? `The server responded with ${status}`,
    detail: problem.detail,
    fields: problem.errors,
    secondFactor: problem.secondFactor,
    registration: problem.registration,
    registrationToken: problem.registrationToken,
    requestId: headers.get('x-request-id') ?? undefined,
    retryAfter: secondsOf(headers.get('retry-after')),
  })
}

/** `Retry-After` is a number of seconds or a date (RFC 9110, section 10.2.3). */
function secondsOf(header: string | null): number | undefined {
  if (!header) return undefined
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1_000
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}

/** Undefined for other content, and for JSON that is cut off. */
export function parseJson(headers: Headers, text: string) {
  try {
    return /\bjson\b/.test(headers.get('content-type') ?? '') ? JSON.parse(text) : undefined
  } catch {
    return undefined
  }
}
