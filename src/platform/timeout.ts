/** Rejects with `failure` if `work` takes longer than `ms` milliseconds. Does not cancel the work. */
export function withTimeout<T>(
  work: PromiseLike<T>,
  ms: number,
  failure: () => Error = () => new Error(`no answer within ${ms} ms`),
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const timer = setTimeout(() => reject(failure()), ms)
  work.then(resolve, reject)
  // A pending timer would keep a Durable Object from hibernating.
  return promise.finally(() => clearTimeout(timer))
}
