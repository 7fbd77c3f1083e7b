import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { z } from '@hono/zod-openapi'
import { Hono } from 'hono'
import { afterEach, beforeEach, expect, vi } from 'vitest'
import type { Ctx } from '../../src/platform/context.ts'
import { Failure } from '../../src/platform/failures.ts'
import type { AppEnv } from '../../src/platform/http/app-env.ts'
import { authentication } from '../../src/platform/http/authentication.ts'
import { edge } from '../../src/platform/http/edge.ts'
import { addFallbacks } from '../../src/platform/http/fallbacks.ts'
import { operation } from '../../src/platform/http/operation.ts'
import { mountOperations } from '../../src/platform/http/rest.ts'
import { healthRoutes } from '../../src/platform/observability/health.ts'
import { validLogins } from './logins.ts'

// A small app with the platform's edge around routes that succeed, fail, are rate limited, read and write.

const Note = z.strictObject({ text: z.string().max(200_000).optional(), more: z.unknown().optional() }).openapi('Note')
const answer = { access: 'public', returns: Note, summary: 'A note' } as const

const Ticket = z.strictObject({ ticket: z.string().max(9).optional() })

/** Called when a body reaches the handler of `POST /v1/notes`. */
export const reached = vi.fn()

const query = async (ctx: Ctx) => {
  await ctx.db.shard(0).run('select 1')
  return {}
}

const notes = [
  operation({
    ...answer,
    id: 'writeNote',
    method: 'post',
    path: '/notes',
    body: Note,
    example: { text: 'hello' },
    run: (_, note) => {
      reached()
      return note
    },
  }),
  operation({
    ...answer,
    id: 'readNote',
    method: 'get',
    path: '/notes/{id}',
    params: z.object({ id: z.string().max(9) }),
    run: (_, { id }) => ({ text: id }),
  }),
  operation({
    ...answer,
    id: 'failNote',
    method: 'get',
    path: '/failing',
    run: () => Promise.reject(new Error('an internal secret')),
  }),
  operation({
    ...answer,
    id: 'limitNote',
    method: 'get',
    path: '/limited',
    run: () => {
      const headers = { ratelimit: '"login";r=0;t=9', 'retry-after': '9' }
      throw new Failure('rate_limited', undefined, { headers })
    },
  }),
  operation({ ...answer, id: 'queryNote', method: 'get', path: '/stored', query: Ticket, run: query }),
  operation({ ...answer, id: 'storeNote', method: 'put', path: '/stored', run: query }),
  operation({
    ...answer,
    id: 'refuseNote',
    method: 'delete',
    path: '/stored',
    run: async (ctx) => {
      await query(ctx)
      throw new Failure('conflict')
    },
  }),
]

const app = new Hono<AppEnv>()
app.use(...edge(validLogins))
app.route(
  '/',
  healthRoutes(async () => ({ keys: [] })),
)
app.use(
  '/v1/*',
  authentication(
    async () => ({ keys: [] }),
    async () => [],
  ),
)
mountOperations(app, '/v1', 'notes', notes)
app.get('/v1/hub', async (c) => {
  const opening = JSON.stringify({
    accountId: '512',
    sessionId: 's',
    scopes: [],
    issuedAt: Date.now(),
    channels: ['home'],
    since: null,
  })
  const headers = { upgrade: 'websocket', opening }
  return new Response(null, await env.HUB.getByName(c.req.query('name')!).fetch('https://hub/', { headers }))
})
addFallbacks(app, ['/v1'])

/** The lines that the current test has logged. */
export const logLines: Record<string, unknown>[] = []
let client = 0

/** Gives each test its own client address, and collects the log lines of the test in `logLines`. */
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

/** Expects a problem document, and returns its code. */
export async function problemCodeOf(response: Response): Promise<string> {
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  const problem = await response.json<{ status: number; code: string }>()
  expect(problem.status).toBe(response.status)
  return problem.code
}
