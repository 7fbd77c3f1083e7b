import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { OpenAPIHono } from '@hono/zod-openapi'
import type { Viewer } from '../../src/platform/context.ts'
import { idOf } from '../../src/platform/data/ids.ts'
import { edge, edgeFallbacks } from '../../src/platform/http/edge.ts'
import type { AppEnv } from '../../src/platform/http/route.ts'

let accounts = 0

/** The viewer of a valid token: a new account of shard 0, so that no rate limit is shared. */
export function newViewer(claims: Partial<Viewer> = {}): Viewer {
  accounts += 1
  return {
    id: idOf(0, Date.UTC(2026, 0, 1) + accounts * 1_000, 0),
    role: 'user',
    scopes: new Set(),
    sessionId: 'login 1',
    issuedAt: Date.now(),
    ...claims,
  }
}

/** The platform's edge around routes mounted at /v1. The argument `who` replaces the access token. */
export function smallApp(routes: OpenAPIHono<AppEnv>) {
  const app = new OpenAPIHono<AppEnv>()
  let viewer: Viewer | null = null
  app.use(...edge)
  app.use('/v1/*', (c, next) => {
    c.var.ctx.viewer = viewer
    c.set('accountStatusOf', async () => ({ suspended: false, notBefore: 0, endedSessions: [] }))
    return next()
  })
  app.route('/v1', routes)
  edgeFallbacks(app)

  async function call(
    who: Viewer | null,
    path: string,
    init: RequestInit = {},
    bindings: object = env,
  ): Promise<Response> {
    viewer = who
    const ctx = createExecutionContext()
    const response = await app.fetch(new Request(`https://social.test${path}`, init), bindings, ctx)
    await waitOnExecutionContext(ctx)
    return response
  }
  return { app, call }
}
