/** Rejects if `work` takes longer than `ms` milliseconds. The work itself is not cancelled. */
export function withTimeout<T>(work: PromiseLike<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ms} ms`)), ms)
  // A pending timer would keep a Durable Object from hibernating.
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
}
