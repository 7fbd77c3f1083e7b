/** What `work` answers, unless that takes longer than `ms`: then it throws. The work itself goes on, unheard. */
export function withTimeout<T>(work: PromiseLike<T>, ms: number): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ms} ms`)), ms)
  // A timer that runs on would keep an object from its sleep.
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer))
}
