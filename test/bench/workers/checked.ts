import { createRoute, z } from '@hono/zod-openapi'
import { configOf, type Env } from '../../../src/platform/config.ts'
import type { Ctx } from '../../../src/platform/context.ts'
import { PageQuery } from '../../../src/platform/data/page.ts'
import { authentication } from '../../../src/platform/http/edge.ts'
import { routes } from '../../../src/platform/http/route.ts'
import { publicKeys } from './keys.ts'

// The hello with what the product adds to it to know its caller and its input, and nothing else.
const hello = createRoute({
  method: 'get',
  path: '/',
  request: { query: PageQuery },
  responses: { 200: { description: '', content: { 'application/json': { schema: z.object({ hello: z.string() }) } } } },
})
const accountStatusOf = () => Promise.reject(new Error('The limiter always says it'))
const app = routes()
app.use(async (c, next) => {
  const env = c.env as Env
  c.set('ctx', { env, config: configOf(env), now: () => Date.now(), viewer: null } as Ctx)
  await next()
})
app.use(authentication(publicKeys, accountStatusOf))
app.openapi(hello, (c) => {
  c.req.valid('query')
  return c.json({ hello: 'world' })
})

export default app
