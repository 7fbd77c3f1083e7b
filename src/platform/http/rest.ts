import { z } from '@hono/zod-openapi'
import { zValidator } from '@hono/zod-validator'
import type { Context, Hono, MiddlewareHandler } from 'hono'
import { createMiddleware } from 'hono/factory'
import { Made } from '../data/idempotency.ts'
import { cursorsOf, linksOf, type Page } from '../data/page.ts'
import { notFound } from '../failures.ts'
import { requestsInFlight } from '../observability/pending.ts'
import { admit, mayBeAdmitted } from '../security/admit.ts'
import type { AppEnv } from './app-env.ts'
import { requireMediaType, strictJson } from './body.ts'
import { conditional, conditionalJson } from './conditional.ts'
import { CSV, csvOf, wantsCsv } from './csv.ts'
import { announcement } from './deprecation.ts'
import { IdempotencyKey } from './openapi.ts'
import { type Operation, runVerb, successOf, type VerbOperation } from './operation.ts'
import { invalidBySchema } from './problems.ts'
import { announceShared, forgetAnswers, keptAnswer, placeOf } from './shared-answers.ts'
import { mayShed } from './shedding.ts'

/** Serves the operations of a service as REST below `mount`. */
export function mountOperations(
  app: Hono<AppEnv>,
  mount: string,
  service: string,
  operations: readonly Operation[],
): void {
  for (const operation of operations) {
    const path = `${mount}${operation.path.replaceAll(/\{(\w+)\}/g, ':$1')}`
    const [early, checks] = [announcement(operation), validators(operation)]
    if (operation.method === 'get' && 'run' in operation && !operation.effect) {
      const reading = (c: Context<AppEnv>) => read(c, { mount, service, operation, checks })
      app.on('GET', [path], ...early, mayShed(reading, operation))
      continue
    }
    const admitting = mayShed(admission(service, operation), operation)
    app.on(operation.method.toUpperCase(), [path], ...early, admitting, ...checks, (c) =>
      answer(c, mount, operation).finally(requestsInFlight.begin()),
    )
  }
}

type Served = { mount: string; service: string; operation: VerbOperation; checks: MiddlewareHandler<AppEnv>[] }

/** Reads while the request is admitted, if nothing that is known already refuses it. A refusal drops what was read. */
async function read(c: Context<AppEnv>, served: Served): Promise<Response> {
  const { service, operation, checks } = served
  const isEarly = mayBeAdmitted(c.var.ctx, operation) // asked first, because `beginAdmission` uses the lease
  const admitted = beginAdmission(c, service, operation)
  const ended = requestsInFlight.begin()
  let result: Promise<() => Response | Promise<Response>> | undefined
  try {
    if (!isEarly) await admitted
    result = parse(c, checks).then(() => find(c, served))
    result.catch(() => {})
    await admitted
    const found = await result
    return await found()
  } finally {
    const over = Promise.resolve(result).then(ended, ended)
    c.var.ctx.defer(() => over) // a refused read goes on, and would never end if its request did not wait for it
  }
}

/** How to answer: with what was kept for everybody, or with what the verb reads. */
async function find(c: Context<AppEnv>, { mount, operation }: Served): Promise<() => Response | Promise<Response>> {
  const place = placeOf(c, mount + operation.path, operation)
  const kept = place && (await keptAnswer(c, place))
  if (place && kept) {
    return () => {
      announceShared(c, place.seconds, kept.at)
      return conditional(c, kept)
    }
  }
  const result = await runVerb(operation, c.var.ctx, c.get('input') ?? {})
  return () => {
    if (place) c.set('place', place)
    return present(c, mount, operation, result)
  }
}

async function parse(c: Context<AppEnv>, checks: readonly MiddlewareHandler<AppEnv>[]): Promise<void> {
  for (const validate of checks) await validate(c, async () => {})
}

function beginAdmission(c: Context<AppEnv>, service: string, operation: Operation): Promise<void> {
  const ctx = c.get('ctx')
  ctx.log = ctx.log.with({ service, accountId: ctx.viewer?.id })
  c.set('isCounted', true)
  return admit(ctx, operation, (headers) => c.set('allowance', headers))
}

/** Admits a request before its path, query and body are parsed. */
function admission(service: string, operation: Operation): MiddlewareHandler<AppEnv> {
  return createMiddleware<AppEnv>(async function admitRequest(c, next) {
    await beginAdmission(c, service, operation)
    const { ctx } = c.var
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
  forgetAnswers(c)
  return present(c, mount, operation, result)
}

function present(
  c: Context<AppEnv>,
  mount: string,
  operation: VerbOperation,
  result: unknown,
): Response | Promise<Response> {
  const { value, replayed } = result instanceof Made ? result : { value: result, replayed: false }
  if (replayed) c.header('idempotency-replayed', 'true')
  if (operation.returns === null) return c.body(null, 204)
  if (operation.location) c.header('location', mount + operation.location(value as never))
  const table = operation.csv && wantsCsv(c) ? operation.csv(value as never) : null
  const text = table ? csvOf(table) : JSON.stringify(value)
  if (operation.method === 'get') {
    return conditionalJson(c, text, {
      varying: isPage(value) ? cursorsOf(value) : [],
      link: isPage(value) ? linksOf(c.req.url, value) : null,
      mediaType: table ? `${CSV}; charset=utf-8; header=present` : 'application/json',
      ...operation,
    })
  }
  return c.newResponse(text, successOf(operation), { 'content-type': 'application/json' })
}
