import { z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { declaredFailures, Failure, type FailureKind, messagesOf, unavailable } from '../failures.ts'
import { problemType } from './error-pages.ts'
import { PendingRegistration } from './pending-registration.ts'
import { SecondFactor } from './second-factor.ts'
import { zodMessage } from './zod-messages.ts'

z.config({ customError: zodMessage })

export const FailureCode = z.string().openapi('FailureCode', {
  description: 'Stable. Later releases may add codes: treat an unknown one according to its status',
  'x-open': true,
})
const FieldError = z
  .object({
    field: z.string().openapi({ description: 'The dotted path of the field' }),
    message: z.string().openapi({ description: 'Continues a sentence that begins with the name of the field' }),
  })
  .openapi('FieldError')

/** The body of every error: RFC 9457 problem details, with a stable `code` and one entry per invalid field. */
export const Problem = z
  .object({
    type: z.string().openapi({ format: 'uri', description: 'The page that describes the error' }),
    title: z.string(),
    status: z.int(),
    code: FailureCode,
    detail: z.string().optional().openapi({ description: 'What is wrong with this request, for developers' }),
    instance: z.string().openapi({ description: 'The path of the request' }),
    errors: z.array(FieldError).optional().openapi({ description: 'One entry per invalid field' }),
    registration: PendingRegistration.optional().openapi({ description: 'Only with `registration_required`' }),
    registrationToken: z.string().optional().openapi({ description: 'Only with `verification_required`' }),
    secondFactor: SecondFactor.optional().openapi({ description: 'Only with `second_factor_required`' }),
  })
  .openapi('Problem')

const MAX_ENTRIES = 20

/** 422 with one entry per invalid or unknown field (dotted path), at most 20. */
export function invalidBySchema(error: z.core.$ZodError): Failure {
  const errors = error.issues.flatMap(entriesOf).slice(0, MAX_ENTRIES)
  return new Failure('invalid', undefined, { errors })
}

/** Parses input that another surface got. Throws the `refusal`; by default `invalid`, with one entry per field. */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown, refusal?: () => Error): T {
  const { success, data, error } = schema.safeParse(value)
  if (success) return data
  throw refusal?.() ?? invalidBySchema(error)
}

function entriesOf(issue: z.core.$ZodIssue): { field: string; message: string }[] {
  const { path, message } = issue
  const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path]
  return paths.map((names) => ({ field: names.join('.'), message }))
}

// Error messages of D1, Durable Objects, KV, R2 and `withTimeout` after which a retry may succeed.
const TRANSIENT =
  /overloaded|database is locked|Network connection lost|storage caused object to be reset|timed? ?out|because its code was updated|transient issue|internal error|no answer within|(memory|CPU time) limit|please try again|too many requests|reduce your .*rate/i

/** Maps any thrown value to a failure: transient errors become `unavailable`, unknown ones `internal`. */
export function toFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  if (error instanceof HTTPException) return fromHono(error)
  return TRANSIENT.test(messagesOf(error).join(': ')) ? unavailable(2) : new Failure('internal')
}

function fromHono(error: HTTPException): Failure {
  const kind = declaredFailures().find(({ status }) => status === error.status)
  return new Failure(kind ?? 'internal', error.message || undefined)
}

export function problemResponse(c: Context, failure: Failure): Response {
  const { code, status, title }: FailureKind = failure.kind
  const body = {
    type: problemType(c.req.url, code),
    title,
    status,
    code,
    detail: failure.detail,
    instance: new URL(c.req.url).pathname,
    errors: failure.extra.errors,
    ...failure.extra.members,
  }
  const required = status === 401 ? { 'www-authenticate': 'Bearer' } : status === 503 ? { 'retry-after': '5' } : {}
  // Set on the context, because hono lets the headers of an earlier response override those of a new one.
  for (const [name, value] of Object.entries({ ...required, ...failure.extra.headers })) c.header(name, value)
  return c.body(JSON.stringify(body), status, { 'content-type': 'application/problem+json; charset=utf-8' })
}
