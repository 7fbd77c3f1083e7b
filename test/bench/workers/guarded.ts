import { OpenAPIHono, z } from '@hono/zod-openapi'
import { authentication, edge, edgeFallbacks } from '../../../src/platform/edge.ts'
import { PageQuery } from '../../../src/platform/page.ts'
import { type AppEnv, route, routes } from '../../../src/platform/route.ts'
import { publicKeys } from './keys.ts'

export { RateLimiter } from '../../../src/platform/rate-limiter.object.ts'
export { Sweeper } from '../../../src/platform/sweeper.object.ts'
export { UserHub } from '../../../src/platform/user-hub.object.ts'

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
const standingOf = () => Promise.reject(new Error('The limiter always says it'))
const app = new OpenAPIHono<AppEnv>()
app.use(...edge)
app.use(authentication(publicKeys, standingOf))
app.route(
  '/',
  routes().openapi(hello, (c) => c.json({ hello: 'world' }, 200)),
)
edgeFallbacks(app)

export default app
