import type { Hono } from 'hono'
import { apiPaths, compose } from './compose.ts'
import { eagerServices } from './eager.ts'
import type { AppEnv } from './platform/http/app-env.ts'
import { isWithin } from './platform/http/assets.ts'
import { isRoute } from './platform/http/fallbacks.ts'

const eagerApp = compose(eagerServices)
const lazyPaths = [...apiPaths, '/healthz', '/readyz', '/openapi.json', '/asyncapi.json']
let wholeApp: Hono<AppEnv> | null = null

/** The app that serves a request: the eager one if it can, so that most isolates never load the other services. */
export async function appFor(request: Request): Promise<Hono<AppEnv>> {
  if (isEager(request)) return eagerApp
  wholeApp ??= (await import('./app.ts')).app
  return wholeApp
}

/** Whether the request is for an eager operation, a preflight of CORS, or for a page or another asset. */
export function isEager(request: Request): boolean {
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const path = eagerApp.getPath(request)
  return method === 'OPTIONS' || isRoute(eagerApp, method, path) || !isWithin(lazyPaths, path)
}
