import { z } from '@hono/zod-openapi'
import { zValidator } from '@hono/zod-validator'
import type { Context, Hono, MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import { Made } from '../data/idempotency.ts'
import { cursorsOf, linksOf, type Page } from '../data/page.ts'
import { notFound } from '../failures.ts'
import { requestsInFlight } from '../observability/pending.ts'
import { admit } from '../security/admit.ts'
import type { AppEnv } from './app-env.ts'
import { requireMediaType, strictJson } from './body.ts'
import { conditionalJson } from './conditional.ts'
import { announcement } from './deprecation.ts'
import { IdempotencyKey } from './openapi.ts'
import { type Operation, runVerb, successOf } from './operation.ts'
import { invalidBySchema } from './problems.ts'
import { requireCapacity } from './shedding.ts'

/** Serves the operations of a service as REST below `mount`. */
export function mountOperations(
  app: Hono<AppEnv>,
  mount: string,
  service: string,
  operations: readonly Operation[],
): void {
  for (const operation of operations) {
    const path = `${mount}${operation.path.replaceAll(/\{(\w+)\}/g, ':$1')}`
    const checks = [...announcement(operation), admission(service, operation), ...validators(operation)]
    app.on(operation.method.toUpperCase(), [path], ...checks, (c) =>
      answer(c, mount, operation).finally(requestsInFlight.begin()),
    )
  }
}

/** Admits a request before its path, query and body are parsed. */
function admission(service: string, operation: Operation): MiddlewareHandler<AppEnv> {
  return createMiddleware<AppEnv>(async function admitRequest(c, next) {
    const ctx = c.get('ctx')
    ctx.log = ctx.log.with({ service, accountId: ctx.viewer?.id })
    c.set('isCounted', true)
    requireCapacity(ctx, operation)
    await admit(ctx, operation, (headers) => c.set('allowance', headers))
    const key = operation.idempotent ? c.req.header('idempotency-key') : undefined
    if (key !== undefined && key.length <= 255) ctx.idempotencyKey = key
    await next()
  })
}

function validators({
  params,
  query,
  body,
  bodyType = 'application/json',
  idempotent,
}: Operation): MiddlewareHandler<AppEnv>[] {
  const checks: MiddlewareHandler<AppEnv>[] = params ? [zValidator('param', params, keep)] : []
  checks.push(zValidator('query', query ?? NoQuery, keep))
  if (idempotent) checks.push(zValidator('header', IdempotencyKey, check))
  if (!body) return checks
  checks.push(requireMediaType(bodyType), strictJson)
  return [...checks, zValidator(bodyType === 'application/json' ? 'json' : 'form', body, keep)]
}

const NoQuery = z.strictObject({})

type Result = { success: boolean; target: string; data: unknown; error?: z.core.$ZodError }

/** An invalid path parameter names no record: `not_found`. All other invalid fields are reported one by one. */
function check({ success, target, error }: Result): void {
  if (success) return
  throw target === 'param' || !error ? notFound() : invalidBySchema(error)
}

/** Merges a part into `input`. Earlier parts take precedence, so a query or body cannot replace an id of the path. */
function keep(result: Result, c: Context<AppEnv>): void {
  check(result)
  c.set('input', { ...Object(result.data), ...c.get('input') })
}

const isPage = (value: unknown): value is Page<unknown> =>
  typeof value === 'object' && value !== null && 'nextCursor' in value && 'previousCursor' in value

async function answer(c: Context<AppEnv>, mount: string, operation: Operation): Promise<Response> {
  const ctx = c.get('ctx')
  const input = c.get('input') ?? {}
  if ('respond' in operation) return operation.respond(ctx, input as never, c.req.raw)
  const result = await runVerb(operation, ctx, input)
  const { value, replayed } = result instanceof Made ? result : { value: result, replayed: false }
  if (replayed) c.header('idempotency-replayed', 'true')
  if (operation.returns === null) return c.body(null, 204)
  const links = isPage(value) ? linksOf(c.req.url, value) : null
  if (links) c.header('link', links)
  if (operation.location) c.header('location', mount + operation.location(value as never))
  const text = JSON.stringify(value)
  if (operation.method === 'get') {
    return conditionalJson(c, text, { varying: isPage(value) ? cursorsOf(value) : [], ...operation })
  }
  return c.newResponse(text, successOf(operation), { 'content-type': 'application/json' })
}
