import { tracing } from 'cloudflare:workers'
import type { Cost } from './cost.ts'

/** Runs `work` as a span of the request's trace. Attributes must not contain user content. */
export function span<T>(
  name: string,
  attributes: Record<string, string | number | boolean>,
  work: () => Promise<T>,
): Promise<T> {
  return tracing.enterSpan(name, async (active) => {
    active.setAttributes(attributes)
    return work().catch((error: unknown) => {
      active.setStatus({ code: 'error', message: error instanceof Error ? error.name : 'error' })
      throw error
    })
  })
}

/** The id of the current trace; undefined if the request is not traced. */
export function traceId(): string | undefined {
  const active = tracing.getActiveSpan()
  return active?.isTraced ? active.spanContext().traceId : undefined
}

type Measured = { route: string; method: string; status: number; ms: number; cost: Cost }

/** Writes one data point per request to Analytics Engine. Never throws. */
export function measure(env: Env, { route, method, status, ms, cost }: Measured): void {
  try {
    env.METRICS.writeDataPoint({
      indexes: [route],
      blobs: [route, method],
      doubles: [status, ms, ...Object.values(cost)],
    })
  } catch {
    // A lost measurement must not fail its request.
  }
}
