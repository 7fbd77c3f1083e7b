import type { Hono } from 'hono'
import { routePath } from 'hono/route'
import { Failure, notFound } from '../failures.ts'
import { log } from '../observability/log.ts'
import { countByAddress } from './address-limit.ts'
import type { AppEnv } from './app-env.ts'
import { assetResponse } from './assets.ts'
import { problemResponse, toFailure } from './problems.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/**
 * Responds to unmatched paths with a static asset or a problem document, and to errors with a problem document. Counts
 * the requests that no operation has counted, such as those with a forged token or a body that is too large.
 */
export function addFallbacks(app: Hono<AppEnv>, apiPaths: readonly string[]): void {
  app.notFound(async (c) => {
    await countByAddress(c)
    const offered: string[] = METHODS.filter((method) => isRoute(app, method, c.req.path))
    if (offered.length === 0) {
      const page = await assetResponse(c, apiPaths)
      if (!page) return problemResponse(c, notFound())
      if (c.req.method === 'GET' || c.req.method === 'HEAD') return page
      offered.push('GET')
    }
    const allow = [...offered, ...(offered[0] === 'GET' ? ['HEAD'] : []), 'OPTIONS'].join(', ')
    return problemResponse(c, new Failure('method_not_allowed', undefined, { headers: { allow } }))
  })
  app.onError(async (error, c) => {
    const failure = toFailure(error)
    if (failure.code === 'internal' || failure.code === 'unavailable') {
      ;(c.var.ctx?.log ?? log).error('a request failed', { route: routePath(c), error })
    }
    return problemResponse(c, await countByAddress(c).then(() => failure, toFailure))
  })
}

/** Whether a handler exists for exactly this method. Middleware, which matches every method, does not count. */
export function isRoute(app: Hono<AppEnv>, method: string, path: string): boolean {
  const [matches] = app.router.match(method, path)
  return matches.some(([[, route]]) => route.method === method)
}
