import {
  BrokenCircuitError,
  type BulkheadPolicy,
  BulkheadRejectedError,
  bulkhead,
  type CircuitBreakerPolicy,
  CircuitState,
  CountBreaker,
  circuitBreaker,
  ExponentialBackoff,
  fullJitterGenerator,
  handleType,
  retry,
  wrap,
} from 'cockatiel'
import type { SystemCtx } from '../context.ts'
import { Failure } from '../failures.ts'
import { span } from '../observability/metrics.ts'
import { outboundUrl } from './outbound-url.ts'

const DEADLINE_MS = 5_000
const LONGEST_DEADLINE_MS = 15_000
const MAX_BYTES = 1024 * 1024
const MAX_REDIRECTS = 3
const MAX_CONCURRENT = 8
const MAX_HOSTS = 1_000
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const TRANSIENT_STATUSES = new Set([502, 503, 504])

type Call = {
  method?: string
  headers?: Record<string, string>
  body?: string | Uint8Array<ArrayBuffer>
  /** `manual` returns a redirect instead of following it, and `error` throws `unavailable`. */
  redirect?: 'follow' | 'manual' | 'error'
  /** At most 15 seconds, for all redirects and retries together. A body over `maxBytes` throws `unavailable`, or is cut off. */
  deadlineMs?: number
  maxBytes?: number
  cutsBody?: boolean
  /** The caller has a breaker and slots of its own. Those of the host are then neither asked nor told. */
  hasBreaker?: boolean
}
type Hop = Pick<Call, 'body' | 'cutsBody' | 'hasBreaker'> & {
  ctx: SystemCtx
  url: URL
  method: string
  headers: Headers
  signal: AbortSignal
  deadlineMs: number
  maxBytes: number
}

/** A failure that a retry may fix: no connection, or a gateway error. */
class Transient extends Error {
  constructor(
    readonly response: Response | null,
    cause?: unknown,
  ) {
    super('the other system did not respond', { cause })
  }
}

/**
 * The only way to call other systems: public https, five seconds in total, at most 1 MiB, with checked redirects (GET
 * and HEAD), retries and a circuit breaker per host. Returns a response of any status. Throws `invalid` for a URL that
 * is not allowed, and `unavailable` without a usable response.
 */
export async function outbound(ctx: SystemCtx, address: string, call: Call = {}): Promise<Response> {
  const { body, redirect, cutsBody, hasBreaker } = call
  const deadlineMs = Math.min(call.deadlineMs ?? DEADLINE_MS, LONGEST_DEADLINE_MS)
  const maxBytes = Math.min(call.maxBytes ?? MAX_BYTES, MAX_BYTES)
  const signal = AbortSignal.timeout(deadlineMs)
  const method = (call.method ?? 'GET').toUpperCase()
  const headers = new Headers({ 'user-agent': 'SocialConnect', ...call.headers })
  const every = { ctx, method, headers, body, signal, deadlineMs, maxBytes, cutsBody, hasBreaker }
  let url = outboundUrl(ctx.config, address)
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await span('outbound', { host: url.host, hop }, () => sendWithRetries({ ...every, url }))
    const location = redirect === 'manual' ? null : response.headers.get('location')
    if (!location || !REDIRECTS.has(response.status)) return response
    if (redirect === 'error') throw new Failure('unavailable', `${url.hostname} redirects`)
    if (method !== 'GET' && method !== 'HEAD') return response
    const next = outboundUrl(ctx.config, location, url)
    if (next.origin !== url.origin) for (const name of ['authorization', 'cookie']) headers.delete(name)
    url = next
  }
  throw new Failure('unavailable', `${url.hostname} redirects too many times`)
}

type Host = { breaker: CircuitBreakerPolicy; slots: BulkheadPolicy; settledBy: number }
const hosts = new Map<string, Host>()

/**
 * A cancelled request keeps its slot, or its trial of a half-open circuit, for ever. A host that stays full beyond the
 * deadline therefore gets a new breaker and new slots.
 */
function hostOf(name: string): Host {
  const known = hosts.get(name)
  if (known && (!isFull(known) || known.settledBy > Date.now())) return known
  if (hosts.size >= MAX_HOSTS) hosts.delete(hosts.keys().next().value!)
  const breaker = circuitBreaker(handleType(Transient), {
    halfOpenAfter: 10_000,
    breaker: new CountBreaker({ threshold: 0.5, size: 20, minimumNumberOfCalls: 10 }),
  })
  // No queue: a queued call would run in the context of another request, which the runtime forbids.
  const host = { breaker, slots: bulkhead(MAX_CONCURRENT, 0), settledBy: Date.now() + DEADLINE_MS }
  hosts.set(name, host)
  return host
}

function isFull({ breaker, slots }: Host): boolean {
  return breaker.state === CircuitState.HalfOpen || slots.executionSlots === 0
}

async function sendWithRetries(request: Hop): Promise<Response> {
  const repeatable = ['GET', 'HEAD', 'PUT', 'DELETE'].includes(request.method) || request.headers.has('idempotency-key')
  const backoff = new ExponentialBackoff({ generator: fullJitterGenerator, initialDelay: 200, maxDelay: 1_000 })
  const retries = retry(handleType(Transient), { maxAttempts: repeatable ? 2 : 0, backoff })
  return retries
    .execute(() => sendToHost(request), request.signal)
    .catch((error: unknown) => {
      if (error instanceof Transient && error.response) return error.response
      throw unavailable(error, request)
    })
}

async function sendToHost(request: Hop): Promise<Response> {
  if (request.hasBreaker) return send(request)
  const host = hostOf(request.url.host)
  // Do not wait for the trial of a half-open circuit: it never settles if the request that runs it is cancelled.
  if (isFull(host)) throw new BulkheadRejectedError(MAX_CONCURRENT, 0)
  return wrap(host.breaker, host.slots).execute(() => {
    host.settledBy = Math.max(host.settledBy, Date.now() + request.deadlineMs)
    return send(request)
  })
}

async function send(request: Hop): Promise<Response> {
  const response = await transfer(request).catch((error: unknown) => {
    throw error instanceof Failure ? error : new Transient(null, error)
  })
  if (TRANSIENT_STATUSES.has(response.status)) throw new Transient(response)
  return response
}

async function transfer(request: Hop): Promise<Response> {
  const { url, method, headers, body, signal } = request
  const response = await fetch(url, { method, headers, body, signal, redirect: 'manual' })
  const bytes = await readLimited(response, request)
  const copy = new Response(bytes.length > 0 ? bytes : null, response)
  for (const name of ['content-encoding', 'content-length']) copy.headers.delete(name) // they describe encoded bytes
  return copy
}

/** Counts bytes as they arrive, whatever the headers claim. */
async function readLimited(response: Response, { url, maxBytes, cutsBody }: Hop): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes && !cutsBody) throw new Failure('unavailable', `${url.hostname} sent over ${maxBytes} bytes`)
    chunks.push(chunk)
    if (size >= maxBytes && cutsBody) break
  }
  return new Uint8Array(await new Blob(chunks).slice(0, maxBytes).arrayBuffer())
}

function unavailable(error: unknown, { ctx, url, signal, deadlineMs }: Hop): Failure {
  if (error instanceof Failure) return error
  ctx.log.warn('an outbound call failed', { host: url.host, error })
  if (signal.aborted)
    return new Failure('unavailable', `${url.hostname} did not respond within ${deadlineMs / 1_000} seconds`)
  const isBlocked = error instanceof BrokenCircuitError || error instanceof BulkheadRejectedError
  return new Failure(
    'unavailable',
    `${url.hostname} ${isBlocked ? 'is unavailable: circuit open or too many calls' : 'did not respond'}`,
  )
}
