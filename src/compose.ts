import { Hono } from 'hono'
import { logins } from './eager.ts'
import type { AppEnv } from './platform/http/app-env.ts'
import { authentication } from './platform/http/authentication.ts'
import { edge } from './platform/http/edge.ts'
import { ERRORS } from './platform/http/error-pages.ts'
import { addFallbacks } from './platform/http/fallbacks.ts'
import type { Operation } from './platform/http/operation.ts'
import { mountOperations } from './platform/http/rest.ts'
import { requireUtf8Url } from './platform/http/utf8.ts'

/** The paths below which services are served. */
const mounts = ['/v1'] as const
export type Mount = (typeof mounts)[number]
/** Paths that never serve the web client: the mounts, the token issuer, well-known documents (RFC 8615), errors and GraphQL. */
export const apiPaths = [...mounts, '/auth', '/.well-known', ERRORS, '/graphql']

type Mounted = { name: string; mount: Mount; operations: readonly Operation[] }

const { signingKeys, readApiKeys, ...statuses } = logins
/** Reads who sends a request. */
export const authenticate = authentication(signingKeys, readApiKeys)

/** An app with the middleware of every request, in order, the operations of `services`, and the fallbacks. */
export function compose(services: readonly Mounted[]): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  app.use(...edge(statuses))
  for (const mount of mounts) app.use(`${mount}/*`, requireUtf8Url, authenticate)
  for (const { name, mount, operations } of services) mountOperations(app, mount, name, operations)
  addFallbacks(app, apiPaths)
  return app
}
