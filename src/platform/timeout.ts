/** Rejects with `failure` if `work` takes longer than `ms` milliseconds. Does not cancel the work. */
export function withTimeout<T>(
  work: PromiseLike<T>,
  ms: number,
  failure: () => Error = () => new Error(`no answer within ${ms} ms`),
): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(failure()), ms)
  // A pending timer would keep a Durable Object from hibernating.
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
}
