import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { createMiddleware } from 'hono/factory'
import { Failure } from '../failures.ts'
import { withTimeout } from '../timeout.ts'
import { hasInvalidText } from './form-rules.ts'
import { flawOf } from './json-rules.ts'
import { decodeUtf8 } from './utf8.ts'

const MAX_TEXT_BYTES = 256 * 1024
const MAX_UPLOAD_BYTES = 12 * 1024 * 1024
const TEXT_DEADLINE_MS = 30_000
/** Enough for the largest upload over a slow mobile connection (0.84 Mbit/s). */
const UPLOAD_DEADLINE_MS = 120_000

const limited = (what: string, maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new Failure('too_large', `${what} may have at most ${maxSize} bytes`)
    },
  })
const limitText = limited('A JSON body', MAX_TEXT_BYTES)
const limitUpload = limited('A form', MAX_UPLOAD_BYTES)

const isUpload = (c: Context) => /^multipart\/form-data\b/i.test(c.req.header('content-type') ?? '')

/** Waits for a body until its deadline. Any error except a `Failure` means that the client ended the body early. */
async function arrival<T>(c: Context, body: Promise<T>): Promise<T> {
  const ms = isUpload(c) ? UPLOAD_DEADLINE_MS : TEXT_DEADLINE_MS
  const late = () => new Failure('request_timeout', `The body must arrive within ${ms / 1_000} seconds`)
  return withTimeout(body, ms, late).catch((error: unknown) => {
    throw error instanceof Failure ? error : new Failure('bad_request', 'The body ended early')
  })
}

/** The whole body. Hono caches the bytes, so a later call or parser gets them at once. */
function bytesOf(c: Context): Promise<ArrayBuffer> {
  const hasArrived = c.req.bodyCache.arrayBuffer !== undefined
  return hasArrived ? c.req.arrayBuffer() : arrival(c, c.req.arrayBuffer())
}

/** Content types that some parsers reject: space before a semicolon, an empty parameter, or several parameters. */
const UNUSUAL_TYPE = /\s;|;\s*$|;.*;/

/** Keeps only the boundary parameter. A charset is dropped, because JSON and forms are always UTF-8 here. */
function normalizedType(type: string): string {
  const [kind, ...parameters] = type.split(';').map((part) => part.trim())
  return [kind, ...parameters.filter((parameter) => /^boundary=/i.test(parameter)).slice(0, 1)].join('; ')
}

/** Limits the size of a body, refuses compressed bodies, and normalizes content types that some parsers reject. */
export const limitBody = createMiddleware(async function limitBody(c, next) {
  if ((c.req.header('content-encoding') ?? 'identity') !== 'identity') {
    throw new Failure('unsupported_media_type', 'Send the body without a content-encoding')
  }
  const type = c.req.header('content-type')
  if (type && UNUSUAL_TYPE.test(type)) {
    const headers = new Headers(c.req.raw.headers)
    headers.set('content-type', normalizedType(type))
    c.req.raw = new Request(c.req.raw, { headers })
  }
  if (c.req.raw.body) {
    const limit = isUpload(c) ? limitUpload : limitText
    await arrival(
      c,
      limit(c, async () => {}),
    )
  }
  await next()
})

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i
const FORM_TYPE = /^(?:multipart\/form-data|application\/x-www-form-urlencoded)\b/i

/** Refuses other types, except for `+json` and url-encoded forms. An empty body passes, whatever its type is. */
export function requireMediaType(expected: 'application/json' | 'multipart/form-data') {
  const pattern = expected === 'application/json' ? JSON_TYPE : FORM_TYPE
  return createMiddleware(async function checkMediaType(c, next) {
    const bytes = await bytesOf(c) // wait here, because the parser has no deadline
    const type = c.req.header('content-type') ?? ''
    if (bytes.byteLength === 0) dropType(c)
    else if (!pattern.test(type)) {
      throw new Failure(
        'unsupported_media_type',
        'Send content-type application/json, or multipart/form-data for an upload',
      )
    } else if (FORM_TYPE.test(type) && hasInvalidText(new Uint8Array(bytes), type)) {
      throw new Failure('bad_request', 'The names and texts of a form must be UTF-8')
    }
    await next()
  })
}

/** An empty body without a type is not parsed. So the response lists the missing fields, and not malformed JSON. */
function dropType(c: Context): void {
  const headers = new Headers(c.req.raw.headers)
  headers.delete('content-type')
  c.req.raw = new Request(c.req.url, { method: c.req.method, headers })
}

/** Refuses JSON that is not valid Unicode, is nested too deeply or repeats a key, before it is parsed. */
export const strictJson = createMiddleware(async function checkJson(c, next) {
  const isJson = JSON_TYPE.test(c.req.header('content-type') ?? '')
  const flaw = isJson ? flawOf(decode(await bytesOf(c))) : null
  if (flaw) throw new Failure('bad_request', flaw)
  await next()
})

function decode(bytes: ArrayBuffer): string {
  const text = decodeUtf8(bytes)
  if (text === null) throw new Failure('bad_request', 'JSON must be UTF-8')
  return text
}
