import { zValidator } from '@hono/zod-validator'
import { Hono } from 'hono'
import { createContext } from '../../../src/platform/create-context.ts'
import { PageQuery } from '../../../src/platform/data/page.ts'
import type { AppEnv } from '../../../src/platform/http/app-env.ts'
import { authentication } from '../../../src/platform/http/authentication.ts'
import { publicKeys } from './keys.ts'

// The Hono hello with the product's authentication and validation of input, and nothing else.
const app = new Hono<AppEnv>()
const unused = () => Promise.reject(new Error('the guard always responds'))
app.use(async (c, next) => {
  const ctx = createContext({ env: c.env, waitUntil: () => {} })
  c.set('ctx', {
    ...ctx,
    viewer: null,
    clientIp: { network: '', address: '' },
    readAccountStatus: unused,
    readLoginTime: unused,
  })
  await next()
})
app.use(authentication(publicKeys, async () => []))
app.get('/', zValidator('query', PageQuery), (c) => c.json({ hello: 'world' }))

export default app
