import { type Context, Hono } from 'hono'
import type { AppEnv } from '../../platform/http/app-env.ts'
import { paths } from './paths.ts'

type Handlers = typeof import('./handlers.ts')['handlers']

/** The standard addresses for an issuer with a path (RFC 8414, 3; OpenID Connect Discovery, 4), and variants in use. */
const METADATA = [
  '/.well-known/oauth-authorization-server/auth',
  '/.well-known/openid-configuration/auth',
  '/auth/.well-known/openid-configuration',
  '/auth/.well-known/oauth-authorization-server',
]

/** Loads the handlers with the first request, because most isolates serve none. */
const handledBy = (name: keyof Handlers) => async (c: Context<AppEnv>) => {
  const { handlers } = await import('./handlers.ts')
  return handlers[name](c)
}

/** The OAuth 2.1 authorization server for apps of other developers. */
export const oauthRoutes = new Hono<AppEnv>()
  .get(paths.authorize, handledBy('authorize'))
  .post(paths.token, handledBy('token'))
  .post(paths.revoke, handledBy('revoke'))
  .post(paths.introspect, handledBy('introspect'))
  .on(['GET', 'POST'], paths.userinfo, handledBy('userinfo'))
  .post(paths.register, handledBy('register'))
  .get('/.well-known/oauth-protected-resource/v1', handledBy('resource'))
for (const path of METADATA) oauthRoutes.get(path, handledBy('metadata'))
