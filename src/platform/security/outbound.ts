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
import { Failure } from '../http/errors.ts'
import { span } from '../observability/metrics.ts'
import { outboundUrl } from './outbound-url.ts'

const DEADLINE_MS = 5_000
const MAX_BYTES = 1024 * 1024
const MAX_HOPS = 3
const MAX_AT_ONCE = 8
const MAX_HOSTS = 1_000
const REDIRECTS = new Set([301, 302, 303, 307, 308])
const UNSTEADY = new Set([502, 503, 504])

type Call = { method?: string; headers?: Record<string, string>; body?: string | Uint8Array<ArrayBuffer> }
type Ask = { ctx: SystemCtx; url: URL; method: string; headers: Headers; body: Call['body']; signal: AbortSignal }

/** What a repeated request may mend: no connection, or a gateway that says so. */
class Unsteady extends Error {
  constructor(
    readonly response: Response | null,
    cause?: unknown,
  ) {
    super('the other system did not answer', { cause })
  }
}

/**
 * The one `fetch` to other systems: https to public names only, five seconds in all, at most 1 MiB. GET and HEAD follow
 * up to three redirects, each checked like the first; what may be repeated is retried; a host that keeps failing is
 * left alone for a while. Answers whatever status the other system gave. Throws `invalid` for an address that is not
 * allowed, and `unavailable`.
 */
export async function outbound(ctx: SystemCtx, address: string, call: Call = {}): Promise<Response> {
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const method = (call.method ?? 'GET').toUpperCase()
  const headers = new Headers({ 'user-agent': 'SocialConnect', ...call.headers })
  let url = outboundUrl(ctx.config, address)
  for (let hop = 0; hop <= MAX_HOPS; hop++) {
    const response = await span('outbound', { host: url.host, hop }, () =>
      ask({ ctx, url, method, headers, body: call.body, signal }),
    )
    const location = response.headers.get('location')
    if (!location || !REDIRECTS.has(response.status) || (method !== 'GET' && method !== 'HEAD')) return response
    const next = outboundUrl(ctx.config, location, url)
    if (next.origin !== url.origin) for (const name of ['authorization', 'cookie']) headers.delete(name)
    url = next
  }
  throw new Failure('unavailable', `${url.hostname} redirects too often`)
}

type Host = { breaker: CircuitBreakerPolicy; slots: BulkheadPolicy; admittedAt: number }
const hosts = new Map<string, Host>()

/**
 * What this isolate remembers of a host. A request that is cut off gives back neither its slot nor its trial of a broken
 * circuit; as nothing may take longer than the deadline, a host that has been full for longer is remembered afresh.
 */
function hostOf(name: string): Host {
  const known = hosts.get(name)
  if (known && (!isFull(known) || known.admittedAt > Date.now() - DEADLINE_MS)) return known
  if (hosts.size >= MAX_HOSTS) hosts.delete(hosts.keys().next().value!)
  const breaker = circuitBreaker(handleType(Unsteady), {
    halfOpenAfter: 10_000,
    breaker: new CountBreaker({ threshold: 0.5, size: 20, minimumNumberOfCalls: 10 }),
  })
  // No queue: a queued job would run in the context of another request, which the runtime forbids.
  const host = { breaker, slots: bulkhead(MAX_AT_ONCE, 0), admittedAt: Date.now() }
  hosts.set(name, host)
  return host
}

function isFull({ breaker, slots }: Host): boolean {
  return breaker.state === CircuitState.HalfOpen || slots.executionSlots === 0
}

async function ask(request: Ask): Promise<Response> {
  const repeatable = ['GET', 'HEAD', 'PUT', 'DELETE'].includes(request.method) || request.headers.has('idempotency-key')
  const backoff = new ExponentialBackoff({ generator: fullJitterGenerator, initialDelay: 200, maxDelay: 1_000 })
  const again = retry(handleType(Unsteady), { maxAttempts: repeatable ? 2 : 0, backoff })
  return again
    .execute(() => admit(request), request.signal)
    .catch((error: unknown) => {
      if (error instanceof Unsteady && error.response) return error.response
      throw unavailable(error, request)
    })
}

async function admit(request: Ask): Promise<Response> {
  const host = hostOf(request.url.host)
  // Others do not wait for the one that tries a broken circuit: it may be cut off, and they would wait for ever.
  if (isFull(host)) throw new BulkheadRejectedError(MAX_AT_ONCE, 0)
  return wrap(host.breaker, host.slots).execute(() => {
    host.admittedAt = Date.now()
    return send(request)
  })
}

async function send(request: Ask): Promise<Response> {
  const response = await transfer(request).catch((error: unknown) => {
    throw error instanceof Failure ? error : new Unsteady(null, error)
  })
  if (UNSTEADY.has(response.status)) throw new Unsteady(response)
  return response
}

async function transfer({ url, method, headers, body, signal }: Ask): Promise<Response> {
  const response = await fetch(url, { method, headers, body, signal, redirect: 'manual' })
  const bytes = await read(response, url)
  const answer = new Response(bytes.length > 0 ? bytes : null, response)
  for (const name of ['content-encoding', 'content-length']) answer.headers.delete(name) // of the bytes before decoding
  return answer
}

/** The whole body, counted as it arrives: what is too long is cut off, whatever its headers say. */
async function read(response: Response, url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > MAX_BYTES) throw new Failure('unavailable', `${url.hostname} answered with more than 1 MiB`)
    chunks.push(chunk)
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer())
}

function unavailable(error: unknown, { ctx, url, signal }: Ask): Failure {
  if (error instanceof Failure) return error
  ctx.log.warn('an outbound call failed', { host: url.host, error })
  if (signal.aborted) return new Failure('unavailable', `${url.hostname} did not answer within five seconds`)
  const refused = error instanceof BrokenCircuitError || error instanceof BulkheadRejectedError
  return new Failure('unavailable', `${url.hostname} ${refused ? 'is being left alone for a while' : 'did not answer'}`)
}
