import { z } from '@hono/zod-openapi'
import { Hono } from 'hono'
import { PageQuery } from '../../../src/platform/data/page.ts'
import type { AppEnv } from '../../../src/platform/http/app-env.ts'
import { authentication } from '../../../src/platform/http/authentication.ts'
import { edge } from '../../../src/platform/http/edge.ts'
import { addFallbacks } from '../../../src/platform/http/fallbacks.ts'
import { operation } from '../../../src/platform/http/operation.ts'
import { mountOperations } from '../../../src/platform/http/rest.ts'
import { HubObject } from '../../../src/platform/realtime/hub.object.ts'
import { readPosts } from '../../../src/services/posts/policy.ts'
import { publicKeys } from './keys.ts'

export { Sweeper } from '../../../src/platform/events/sweeper.object.ts'
export { AccessGuard } from '../../../src/platform/security/access-guard.object.ts'

export class Hub extends HubObject {
  protected override readonly channels = async () => []
}

// A hello operation behind everything that the platform does for a request, without code of a service.
const hello = operation({
  id: 'hello',
  method: 'get',
  path: '/',
  access: 'user',
  scope: readPosts,
  query: PageQuery,
  returns: z.object({ hello: z.string() }),
  summary: 'Hello',
  run: () => ({ hello: 'world' }),
})
const app = new Hono<AppEnv>()
const unused = () => Promise.reject(new Error('the guard always responds'))
app.use(...edge({ readAccountStatus: unused, readLoginTime: unused }))
app.use(authentication(publicKeys, async () => []))
mountOperations(app, '', 'bench', [hello])
addFallbacks(app, [])

export default app
