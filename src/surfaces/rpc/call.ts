import { z } from '@hono/zod-openapi'
import type { SystemCtx } from '../../platform/context.ts'
import { createContext } from '../../platform/create-context.ts'
import { MAX_BOOKMARKS_LENGTH } from '../../platform/data/databases.ts'
import { Made } from '../../platform/data/idempotency.ts'
import { Id } from '../../platform/data/ids.ts'
import { IdempotencyKey } from '../../platform/http/openapi.ts'
import { type Operation, runVerb, type VerbOperation } from '../../platform/http/operation.ts'
import { invalidBySchema, toFailure } from '../../platform/http/problems.ts'
import { requireCapacity } from '../../platform/http/shedding.ts'
import { measure, traceId } from '../../platform/observability/metrics.ts'
import { requestsInFlight } from '../../platform/observability/pending.ts'
import { admit } from '../../platform/security/admit.ts'
import { type Binding, bindingOf, callerOf, offered, requestBy } from './binding.ts'
import { parseInput } from './input.ts'
import { forgetActive } from './standing.ts'
import type { RpcOutcome, RpcResult } from './types.ts'

type Invocation = {
  service: string
  operation: Operation
  env: Env
  props: unknown
  waitUntil: (work: Promise<unknown>) => void
}

const Call = z.strictObject({
  as: Id.optional(),
  idempotencyKey: IdempotencyKey.shape['idempotency-key'],
  bookmarks: z.string().max(MAX_BOOKMARKS_LENGTH).optional(),
  requestId: z
    .string()
    .regex(/^[\w=-]{1,64}$/)
    .optional(),
})
type Call = z.infer<typeof Call>

/** Runs an operation for another Worker. Does not throw. */
export async function answer(invocation: Invocation, input: unknown, options: unknown): Promise<RpcResult<unknown>> {
  const started = Date.now()
  const { service, operation, env, props, waitUntil } = invocation
  const parsed = Call.safeParse(options ?? {})
  const requestId = parsed.data?.requestId ?? crypto.randomUUID()
  const { as: accountId, bookmarks } = parsed.data ?? {}
  const ctx = createContext({ env, waitUntil, trace: { requestId, traceId: traceId() }, bookmarks })
  ctx.log = ctx.log.with({ service, caller: callerOf(props), accountId })
  const result = await perform(ctx, invocation, input, parsed).catch((error: unknown) => failed(ctx, operation, error))
  const status = result.ok ? 200 : result.error.status
  const measured = { method: 'RPC', route: operation.id, status, ms: Date.now() - started }
  measure(env, { ...measured, cost: ctx.cost })
  ctx.log.info('call', { ...measured, ...ctx.cost })
  return { ...result, requestId, ...(ctx.config.ENVIRONMENT === 'development' && { cost: ctx.cost }) }
}

type Parsed = { data?: Call; error?: z.core.$ZodError }

async function perform(
  ctx: SystemCtx,
  { props, ...invocation }: Invocation,
  input: unknown,
  { data: call, error }: Parsed,
): Promise<RpcOutcome<unknown>> {
  const binding = bindingOf(props)
  const operation = offered(invocation.operation)
  if (!call) throw error ? invalidBySchema(error) : new Error('the call was not parsed')
  const enter = () => admitted(ctx, binding, operation, call.as)
  const request = await enter().catch((refusal: unknown) => {
    // Something was revoked since the account was read: by its deletion, or by a logout, which does not concern calls.
    if (toFailure(refusal).code === 'unauthorized' && forgetActive(call.as)) return enter()
    throw refusal
  })
  if (operation.idempotent) request.idempotencyKey = call.idempotencyKey
  const result = await runVerb(operation, request, parseInput(operation, input)).finally(requestsInFlight.begin())
  const { value, replayed } = result instanceof Made ? result : { value: result, replayed: false }
  const bookmarks = operation.method === 'get' ? null : request.db.bookmarks()
  return { ok: true, value: value ?? null, replayed, bookmarks }
}

async function admitted(ctx: SystemCtx, binding: Binding, operation: VerbOperation, accountId: Id | undefined) {
  const request = await requestBy(ctx, binding, operation, accountId)
  requireCapacity(ctx, operation)
  await admit(request, { ...operation, whileSuspended: false })
  return request
}

function failed(ctx: SystemCtx, operation: Operation, thrown: unknown): RpcOutcome<never> {
  const { kind, detail, extra } = toFailure(thrown)
  const { code, status, title } = kind
  if (code === 'internal' || code === 'unavailable') {
    ctx.log.error('a call failed', { route: operation.id, error: thrown })
  }
  const retryAfter = extra.headers?.['retry-after']
  const { errors } = extra
  const more = {
    ...(detail && { detail }),
    ...(errors && { errors }),
    ...(retryAfter && { retryAfter: Number(retryAfter) }),
  }
  return { ok: false, error: { code, status, title, ...more } }
}
