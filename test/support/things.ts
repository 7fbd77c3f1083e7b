import { z } from '@hono/zod-openapi'
import { vi } from 'vitest'
import type { UserCtx } from '../../src/platform/context.ts'
import { Made } from '../../src/platform/data/idempotency.ts'
import { queryInteger } from '../../src/platform/data/query-integer.ts'
import { operation, responder } from '../../src/platform/http/operation.ts'
import { defineLimit } from '../../src/platform/security/rate-limit.ts'
import { defineScope } from '../../src/platform/security/scopes.ts'

// Operations of every kind, for tests of their routes and of the OpenAPI document.

const readThings = defineScope('things:read', 'Read things')
export const writeThings = defineScope('things:write', 'Write things')
const attempts = defineLimit('attempts', { quota: 10, window: 300 })
const Thing = z.strictObject({ text: z.string().max(5) }).openapi('Thing')
const ThingPath = z.object({ thingId: z.string().regex(/^\d+$/) })
/** Records the arguments of the verbs. */
export const reached = vi.fn()

async function writeThing(ctx: UserCtx, input: { thingId: string; limit?: number; text: string }) {
  reached(ctx.viewer.id, ctx.idempotencyKey, input.limit, input.thingId)
  return new Made({ text: input.text }, ctx.idempotencyKey === 'seen')
}

export const things = [
  operation({
    id: 'writeThing',
    method: 'post',
    path: '/things/{thingId}',
    access: 'user',
    scope: writeThings,
    params: ThingPath,
    query: z.strictObject({ limit: queryInteger({ max: 9 }).optional() }),
    body: Thing,
    example: { text: 'hello' },
    returns: Thing,
    status: 201,
    location: ({ text }) => `/things/${text}`,
    idempotent: true,
    fails: ['conflict'],
    summary: 'Write a thing',
    run: writeThing,
  }),
  operation({
    id: 'login',
    method: 'post',
    path: '/login',
    access: 'public',
    limit: attempts,
    returns: null,
    summary: 'Log in',
    run: () => {},
  }),
  operation({
    id: 'rule',
    method: 'put',
    path: '/rules',
    access: 'moderator',
    returns: null,
    summary: 'Rule',
    run: async () => {},
  }),
  operation({
    id: 'upload',
    method: 'post',
    path: '/files',
    access: 'public',
    body: z.object({ alt: z.string().max(9) }),
    bodyType: 'multipart/form-data',
    returns: null,
    summary: 'Upload',
    run: (_, { alt }) => void reached(alt),
  }),
  operation({
    id: 'find',
    method: 'get',
    path: '/found',
    access: 'public',
    scope: readThings,
    cacheControl: 'public, max-age=9',
    returns: z.object({ thing: Thing.nullable().openapi({ description: 'If there is one' }) }).openapi('Found'),
    summary: 'Find',
    run: () => ({ thing: null }),
  }),
  operation({
    id: 'rename',
    method: 'patch',
    path: '/things/{thingId}',
    access: 'public',
    params: ThingPath,
    query: z.object({ thingId: z.string().optional() }),
    body: z.object({ thingId: z.string() }),
    example: { thingId: '6' },
    returns: null,
    summary: 'Rename',
    run: (_, { thingId }) => void reached(thingId),
  }),
  responder({
    id: 'stream',
    method: 'get',
    path: '/streams/{thingId}',
    access: 'public',
    params: ThingPath,
    mediaTypes: ['text/plain'],
    also: { 304: 'Not changed' },
    summary: 'Stream',
    respond: async (_, { thingId }, request) => new Response(`${thingId} ${request.method}`),
  }),
]
