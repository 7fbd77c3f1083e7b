import { createMiddleware } from 'hono/factory'
import { Failure } from '../failures.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false })

/** Null for invalid bytes. Most parsers replace such bytes, and a corrupted text would be stored. */
export function decodeUtf8(bytes: ArrayBuffer | Uint8Array): string | null {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}

/** Whether the percent-encoded bytes in a text are UTF-8. A `%` that encodes nothing is allowed, as in URLs. */
export function isUtf8Escaped(text: string): boolean {
  if (!text.includes('%')) return true
  try {
    for (const [bytes] of text.matchAll(/(?:%[\da-fA-F]{2})+/g)) decodeURIComponent(bytes)
    return true
  } catch {
    return false
  }
}

/** Refuses a path or query whose percent-encoded bytes are not UTF-8. */
export const requireUtf8Url = createMiddleware(async function checkUrl(c, next) {
  if (!isUtf8Escaped(c.req.url)) throw new Failure('bad_request', 'The URL must be percent-encoded UTF-8')
  await next()
})
