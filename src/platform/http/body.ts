import { bodyLimit } from 'hono/body-limit'
import { createMiddleware } from 'hono/factory'
import { Failure } from '../failures.ts'

const MAX_TEXT_BYTES = 256 * 1024
const MAX_UPLOAD_BYTES = 12 * 1024 * 1024
const MAX_DEPTH = 16
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

const limited = (what: string, maxSize: number) =>
  bodyLimit({
    maxSize,
    onError: () => {
      throw new Failure('too_large', `${what} may have at most ${maxSize} bytes`)
    },
  })
const limitText = limited('A JSON body', MAX_TEXT_BYTES)
const limitUpload = limited('A form', MAX_UPLOAD_BYTES)

/** Content types that not every parser accepts: space before a semicolon, an empty parameter, or several parameters. */
const UNUSUAL_TYPE = /\s;|;\s*$|;.*;/

/** Keeps only the boundary parameter. A charset is dropped, because JSON and forms are always UTF-8 here. */
function normalizedType(type: string): string {
  const [kind, ...parameters] = type.split(';').map((part) => part.trim())
  return [kind, ...parameters.filter((parameter) => /^boundary=/i.test(parameter)).slice(0, 1)].join('; ')
}

/** Limits a body by its content-length, or without one by counting its bytes. Refuses compressed bodies. */
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
  const isUpload = /^multipart\/form-data\b/i.test(c.req.header('content-type') ?? '')
  return (isUpload ? limitUpload : limitText)(c, next)
})

const JSON_TYPE = /^application\/(?:[\w.-]+\+)?json\b/i
const FORM_TYPE = /^(?:multipart\/form-data|application\/x-www-form-urlencoded)\b/i

/** Refuses a body of another type. A missing body passes, and the schema then reports the missing fields. */
export function requireMediaType(expected: 'application/json' | 'multipart/form-data') {
  const pattern = expected === 'application/json' ? JSON_TYPE : FORM_TYPE
  return createMiddleware(async function checkMediaType(c, next) {
    const type = c.req.header('content-type')
    const matches = type ? pattern.test(type) : (await c.req.arrayBuffer()).byteLength === 0
    if (!matches) {
      throw new Failure(
        'unsupported_media_type',
        'Send content-type application/json, or multipart/form-data for an upload',
      )
    }
    await next()
  })
}

/** Refuses JSON that is not UTF-8 or is nested too deeply, before it is parsed. */
export const strictJson = createMiddleware(async function checkJson(c, next) {
  const isJson = JSON_TYPE.test(c.req.header('content-type') ?? '')
  if (isJson && isDeep(decode(await c.req.arrayBuffer()))) {
    throw new Failure('bad_request', `JSON may be nested at most ${MAX_DEPTH} levels deep`)
  }
  await next()
})

/** Throws for invalid bytes, because hono would replace them and the text would be stored corrupted. */
function decode(bytes: ArrayBuffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Failure('bad_request', 'JSON must be UTF-8')
  }
}

/** The pattern takes linear time even if a quote is not closed. */
function isDeep(json: string): boolean {
  let depth = 0
  for (const [token] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"?|[[\]{}]/gs)) {
    if (token === '[' || token === '{') depth += 1
    else if (token === ']' || token === '}') depth -= 1
    if (depth > MAX_DEPTH) return true
  }
  return false
}
