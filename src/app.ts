import { OpenAPIHono } from '@hono/zod-openapi'
import { authentication, edge, edgeFallbacks } from './platform/http/edge.ts'
import { openApiDocument, tagRoutes } from './platform/http/openapi.ts'
import type { AppEnv } from './platform/http/route.ts'
import { healthRoutes } from './platform/observability/health.ts'
import { readAccountStatus, services, signingKeys } from './registry.ts'

/** The composition root: the order in which a request passes through the platform, and where the services are mounted. */
export const app = new OpenAPIHono<AppEnv>()

app.use(...edge)
app.route('/', healthRoutes)
app.use('/v1/*', authentication(signingKeys, readAccountStatus))
for (const { name, routes } of services) {
  if (!routes) continue
  tagRoutes(routes, name)
  app.route('/v1', routes)
}
app.get('/openapi.json', async (c) => c.json(await apiDocument()))
edgeFallbacks(app)

/** The contract of everything that is mounted, as OpenAPI has it. */
export async function apiDocument(): Promise<object> {
  return openApiDocument(app, await import('./openapi-prose.ts'))
}
