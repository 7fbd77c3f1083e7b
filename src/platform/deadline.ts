/** What `work` answers, unless that takes longer than `ms`: then it throws. The work itself goes on, unheard. */
export function deadline<T>(work: PromiseLike<T>, ms: number): Promise<T> {
  const late = scheduler.wait(ms).then(() => Promise.reject(new Error(`no answer within ${ms} ms`)))
  return Promise.race([work, late])
}
