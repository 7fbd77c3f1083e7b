/** Waits for all of the work, and only then throws what failed first: what fails keeps nothing else from being done. */
export async function settleAll(work: Iterable<Promise<unknown>>): Promise<void> {
  const outcomes = await Promise.allSettled(work)
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
}
