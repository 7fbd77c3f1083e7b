import { ApiError, isUncertain } from './errors.ts'
import type { ClientOptions, Sleep } from './options.ts'

const SLOWEST_MS = 30_000

/** Resolves after `ms`; rejects with the reason of `signal` once that is aborted. */
export const sleep: Sleep = (ms, signal) =>
  new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const stop = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop)
  })

/** Like `work`, but rejects with the reason of `signal` once that is aborted. The work itself goes on. */
export async function inTime<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  let stop = () => {}
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop)
  })
  return Promise.race([aborted, work]).finally(() => signal.removeEventListener('abort', stop))
}

/** Rejects with `network_error` if `work` takes longer than `ms`, and aborts its signal. */
export async function within<T>(ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const over = new AbortController()
  const late = { status: 0, code: 'network_error', title: 'The server did not respond in time' } as const
  const timer = setTimeout(() => over.abort(new ApiError(late)), ms)
  return inTime(work(over.signal), over.signal).finally(() => clearTimeout(timer))
}

/** A random wait of up to 1, 2, 4 … times `firstMs`, so that clients that failed together do not return together. */
export const backoff = (random: () => number, firstMs: number, failures: number): number =>
  random() * Math.min(SLOWEST_MS, firstMs * 2 ** failures)

export type Waits = Required<Pick<ClientOptions, 'sleep' | 'random' | 'maxRetryAfter'>>

const FIRST_RETRY_MS = 500

/** Repeats `work` up to `retries` times while it fails in a way that may pass, and at the pace the server asks for. */
export async function retrying<T>(
  work: () => Promise<T>,
  retries: number,
  { sleep, random, maxRetryAfter }: Waits,
  signal?: AbortSignal,
): Promise<T> {
  for (let failures = 0; ; failures++) {
    try {
      return await work()
    } catch (error) {
      const pause = pauseAfter(error)
      if (failures >= retries || pause === undefined || pause > maxRetryAfter) throw error
      await sleep(pause * 1_000 + backoff(random, FIRST_RETRY_MS, failures), signal)
    }
  }
}

/** The seconds that the server asks for; undefined if a retry is pointless. */
function pauseAfter(error: unknown): number | undefined {
  if (!(error instanceof ApiError)) return undefined
  const { status, retryAfter } = error
  if (status === 429) return retryAfter
  return isUncertain(error) ? (retryAfter ?? 0) : undefined
}
