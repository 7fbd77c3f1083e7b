import type { Context } from 'hono'
import { authenticate, compose } from './compose.ts'
import { logins } from './eager.ts'
import { countByAddress } from './platform/http/address-limit.ts'
import type { AppEnv } from './platform/http/app-env.ts'
import { requireMediaType, strictJson } from './platform/http/body.ts'
import { errorRoutes } from './platform/http/error-pages.ts'
import { requireUtf8Url } from './platform/http/utf8.ts'
import { healthRoutes } from './platform/observability/health.ts'
import { channels, services } from './registry.ts'
import { oauthRoutes } from './surfaces/oauth/routes.ts'

/** The whole API: the operations of all services, and the routes of the platform. */
export const app = compose(services)

app.route('/', healthRoutes(logins.signingKeys))
app.route('/', errorRoutes)
app.route('/', oauthRoutes)
app.get('/openapi.json', async (c) => {
  await countByAddress(c)
  const url = new URL(c.req.url).origin
  return c.json({ ...(await apiDocument()), servers: [{ url }] })
})
app.get('/asyncapi.json', async (c) => {
  await countByAddress(c)
  return c.json(await socketDocument(c.req.url))
})
app.use('/graphql', requireUtf8Url, authenticate)
app.post('/graphql', requireMediaType('application/json'), strictJson)
app.on(['GET', 'POST'], '/graphql', async (c) => (opensGraphiql(c) ? c.redirect('/graphiql/') : (await graphql())(c)))

let handler: ((c: Context<AppEnv>) => Promise<Response>) | null = null

/** Whether a browser opens the address, which in development shows GraphiQL. */
function opensGraphiql({ req, var: { ctx } }: Context<AppEnv>): boolean {
  const isPage = req.method === 'GET' && req.query('query') === undefined && req.header('accept')?.includes('text/html')
  return isPage === true && ctx.config.ENVIRONMENT === 'development'
}

/** Loaded with the first request, because most isolates serve REST only. */
async function graphql() {
  const { graphqlHandler } = await import('./surfaces/graphql/handler.ts')
  handler ??= graphqlHandler({ services, channels })
  return handler
}

let document: object | null = null

/** The OpenAPI document of all mounted operations, built on first use and then cached. */
export async function apiDocument(): Promise<object> {
  const { openApiDocument } = await import('./platform/http/openapi.ts')
  const { conventions } = await import('./openapi-prose.ts')
  document ??= openApiDocument(services, conventions)
  return document
}

let sockets: object | null = null

/** The AsyncAPI document of the socket, as the server at `url` offers it. */
export async function socketDocument(url: string): Promise<object> {
  const { asyncApiDocument, serversOf } = await import('./platform/realtime/asyncapi.ts')
  const { socketConventions } = await import('./openapi-prose.ts')
  sockets ??= asyncApiDocument(channels, socketConventions)
  return { ...sockets, servers: serversOf(url) }
}
