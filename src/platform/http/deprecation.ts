import type { MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import type { AppEnv } from './app-env.ts'
import type { Deprecation, Operation } from './operation.ts'

export const deprecationHeaders = {
  Deprecation: 'Since when the operation is deprecated (RFC 9745)',
  Sunset: 'When the operation ends (RFC 8594)',
  Link: 'With `rel="deprecation"`, the page that says what to use instead',
}

/** Adds the headers of RFC 9745 (a date as a structured field) and RFC 8594 (an HTTP date) to every success. */
export function announcement({ deprecated }: Operation): MiddlewareHandler<AppEnv>[] {
  if (!deprecated) return []
  const { since, sunset, link } = deprecated
  return [
    createMiddleware<AppEnv>(async function announce(c, next) {
      await next()
      if (c.res.status >= 400) return
      c.res.headers.set('deprecation', `@${Date.parse(since) / 1_000}`)
      c.res.headers.set('sunset', new Date(sunset).toUTCString())
      c.res.headers.append('link', `<${link}>; rel="deprecation"; type="text/html"`)
    }),
  ]
}

export const deprecationText = ({ since, sunset, link }: Deprecation): string =>
  `Deprecated since ${since}, and ends on ${sunset}. [What to use instead](${link}).`
