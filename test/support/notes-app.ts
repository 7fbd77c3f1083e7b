import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { OpenAPIHono, z } from '@hono/zod-openapi'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import { authentication, edge, edgeFallbacks } from '../../src/platform/http/edge.ts'
import { Failure } from '../../src/platform/http/errors.ts'
import { type AppEnv, route, routes } from '../../src/platform/http/route.ts'
import { healthRoutes } from '../../src/platform/observability/health.ts'

// The platform's edge around routes that answer, fail, are limited, read and write.

const Note = z.strictObject({ text: z.string().max(200_000).optional(), more: z.unknown().optional() }).openapi('Note')
const answer = { access: 'public', returns: Note, summary: 'A note' } as const

/** Called when a body reaches the handler of `POST /v1/notes`. */
export const reached = vi.fn()

const notes = routes()
  .openapi(
    route({ ...answer, id: 'writeNote', method: 'post', path: '/notes', body: Note, example: { text: 'hello' } }),
    async (c) => {
      reached()
      return c.json(c.req.valid('json'), 200)
    },
  )
  .openapi(
    route({
      ...answer,
      id: 'readNote',
      method: 'get',
      path: '/notes/{id}',
      params: z.object({ id: z.string().max(9) }),
    }),
    async (c) => c.json({ text: c.req.valid('param').id }, 200),
  )
  .openapi(route({ ...answer, id: 'failNote', method: 'get', path: '/failing' }), async () => {
    throw new Error('a secret of the inside')
  })
  .openapi(route({ ...answer, id: 'limitNote', method: 'get', path: '/limited' }), async () => {
    throw new Failure('rate_limited', undefined, { headers: { ratelimit: '"login";r=0;t=9', 'retry-after': '9' } })
  })
  .openapi(route({ ...answer, id: 'queryNote', method: 'get', path: '/stored' }), async (c) => {
    await c.var.ctx.db.shard(0).run('select 1')
    return c.json({}, 200)
  })
  .openapi(route({ ...answer, id: 'storeNote', method: 'put', path: '/stored' }), async (c) => {
    await c.var.ctx.db.shard(0).run('select 1')
    return c.json({}, 200)
  })
  .openapi(route({ ...answer, id: 'refuseNote', method: 'delete', path: '/stored' }), async (c) => {
    await c.var.ctx.db.shard(0).run('select 1')
    throw new Failure('conflict')
  })

const app = new OpenAPIHono<AppEnv>()
app.use(...edge)
app.route('/', healthRoutes)
app.use(
  '/v1/*',
  authentication(
    async () => ({ keys: [] }),
    async () => ({ suspended: false, notBefore: 0, endedSessions: [] }),
  ),
)
app.route('/v1', notes)
app.get('/v1/hub', async (c) => {
  const opening = JSON.stringify({
    accountId: '512',
    sessionId: 's',
    issuedAt: Date.now(),
    channels: ['home'],
    since: null,
  })
  const headers = { upgrade: 'websocket', opening }
  return new Response(null, await env.HUB.getByName(c.req.query('name')!).fetch('https://hub/', { headers }))
})
edgeFallbacks(app)

/** The lines that the current test has logged. */
export const logLines: Record<string, unknown>[] = []
let client = 0

/** Gives each test a client address of its own, and keeps its log lines. */
export function isolateNotes(): void {
  beforeEach(() => {
    logLines.length = 0
    client += 1
    reached.mockReset()
    vi.spyOn(console, 'log').mockImplementation((line: string) => logLines.push(JSON.parse(line)))
  })
  afterEach(() => vi.restoreAllMocks())
}

export async function callNotes(path: string, init: RequestInit = {}, bindings: object = env): Promise<Response> {
  const ctx = createExecutionContext()
  const headers = new Headers(init.headers)
  if (!headers.has('cf-connecting-ip')) headers.set('cf-connecting-ip', `192.0.2.${client}`)
  const response = await app.fetch(new Request(`https://social.test${path}`, { ...init, headers }), bindings, ctx)
  await waitOnExecutionContext(ctx)
  return response
}

export function postNote(body: BodyInit | null, headers: Record<string, string> = {}): Promise<Response> {
  return callNotes('/v1/notes', { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
}

/** The code of a response that must be a problem. */
export async function problemCodeOf(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  const problem = await response.json<{ status: number; code: string }>()
  expect(problem.status).toBe(response.status)
  return problem.code
}
