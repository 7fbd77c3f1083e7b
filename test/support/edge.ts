import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { Hono } from 'hono'
import type { Viewer } from '../../src/platform/context.ts'
import { idOf } from '../../src/platform/data/ids.ts'
import type { AppEnv } from '../../src/platform/http/app-env.ts'
import { edge } from '../../src/platform/http/edge.ts'
import { addFallbacks } from '../../src/platform/http/fallbacks.ts'
import type { Operation } from '../../src/platform/http/operation.ts'
import { mountOperations } from '../../src/platform/http/rest.ts'
import { validLogins } from './logins.ts'

let accounts = 0

/** The viewer of a valid token. Each call returns another account of shard 0, so that tests share no rate limit. */
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

/** An app with the platform's edge, `operations` and what `add` mounts. `call` makes `who` the viewer. */
export function smallApp(operations: readonly Operation[], add: (app: Hono<AppEnv>) => void = () => {}) {
  const app = new Hono<AppEnv>()
  let viewer: Viewer | null = null
  app.use(...edge(validLogins))
  app.use('/v1/*', (c, next) => {
    c.var.ctx.viewer = viewer
    return next()
  })
  mountOperations(app, '/v1', 'small', operations)
  add(app)
  addFallbacks(app, ['/v1', '/auth'])

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
