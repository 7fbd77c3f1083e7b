/**
 * Syncs a copy with its truth, which `read` must read at the primary. It repeats until the truth no longer changes, so
 * that the copy converges in whatever order events arrive. Returns the truth.
 */
export async function mirror<T>(read: () => Promise<T>, write: (truth: T) => Promise<unknown>): Promise<T> {
  let truth = await read()
  for (;;) {
    await write(truth)
    const now = await read()
    if (JSON.stringify(now) === JSON.stringify(truth)) return truth
    truth = now
  }
}
