import { tracing } from 'cloudflare:workers'
import type { Env } from '../config.ts'
import type { Cost } from '../data/d1-session.ts'

/** Runs `work` as a span of the request's trace. Attributes are ids and numbers, never contents. */
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

/** The id of the trace that this code runs in, for the lines of the log; undefined where nothing is traced. */
export function traceId(): string | undefined {
  const active = tracing.getActiveSpan()
  return active?.isTraced ? active.spanContext().traceId : undefined
}

type Measured = { route: string; method: string; status: number; ms: number; cost: Cost }

/** Writes one data point about a request to Analytics Engine. Never throws: nothing depends on reading it. */
export function measure(env: Env, { route, method, status, ms, cost }: Measured): void {
  try {
    env.ACTIVITY.writeDataPoint({
      indexes: [route],
      blobs: [route, method],
      doubles: [status, ms, ...Object.values(cost)],
    })
  } catch {
    // A lost measurement is no reason to fail the request that it is about.
  }
}
