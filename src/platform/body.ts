import { createMiddleware } from 'hono/factory'
import { Failure } from './errors.ts'

const MAX_DEPTH = 16

/** Refuses JSON that is nested more deeply than any request of ours, before it is parsed. */
export const flatJson = createMiddleware(async function limitNesting(c, next) {
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(c.req.header('content-type') ?? '')
  if (isJson && isDeep(await c.req.text())) throw new Failure('bad_request', `JSON may be nested ${MAX_DEPTH} deep`)
  await next()
})

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
