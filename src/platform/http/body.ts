import { createMiddleware } from 'hono/factory'
import { Failure } from './errors.ts'

const MAX_DEPTH = 16
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** Refuses JSON, before it is parsed, that is no UTF-8 or nested more deeply than any request of ours. */
export const strictJson = createMiddleware(async function refuseOddJson(c, next) {
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(c.req.header('content-type') ?? '')
  if (isJson && isDeep(decode(await c.req.arrayBuffer()))) {
    throw new Failure('bad_request', `JSON may be nested ${MAX_DEPTH} deep`)
  }
  await next()
})

/** Strictly: hono would put a replacement for what is no UTF-8, and the sender's text would be kept mangled. */
function decode(bytes: ArrayBuffer): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new Failure('bad_request', 'JSON must be UTF-8')
  }
}

/** Whether the arrays and objects of a JSON text are nested too deeply. In one pass, even when its quotes do not match. */
function isDeep(json: string): boolean {
  let depth = 0
  for (const [token] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"?|[[\]{}]/gs)) {
    if (token === '[' || token === '{') depth += 1
    else if (token === ']' || token === '}') depth -= 1
    if (depth > MAX_DEPTH) return true
  }
  return false
}
