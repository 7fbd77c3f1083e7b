import { OpenAPIHono, z } from '@hono/zod-openapi'
import { PageQuery } from '../../../src/platform/data/page.ts'
import { authentication, edge, edgeFallbacks } from '../../../src/platform/http/edge.ts'
import { type AppEnv, route, routes } from '../../../src/platform/http/route.ts'
import { publicKeys } from './keys.ts'

export { Sweeper } from '../../../src/platform/events/sweeper.object.ts'
export { UserHub } from '../../../src/platform/realtime/user-hub.object.ts'
export { AccessGuard } from '../../../src/platform/security/access-guard.object.ts'

// The hello behind the whole platform: everything that a request of the product passes but its service.
const hello = route({
  id: 'hello',
  method: 'get',
  path: '/',
  access: 'user',
  scope: 'posts:read',
  query: PageQuery,
  returns: z.object({ hello: z.string() }),
  summary: 'Hello',
})
const accountStatusOf = () => Promise.reject(new Error('The limiter always says it'))
const app = new OpenAPIHono<AppEnv>()
app.use(...edge)
app.use(authentication(publicKeys, accountStatusOf))
app.route(
  '/',
  routes().openapi(hello, (c) => c.json({ hello: 'world' }, 200)),
)
edgeFallbacks(app)

export default app
