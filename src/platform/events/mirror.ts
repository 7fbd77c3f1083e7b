/**
 * Syncs a copy with its source. `read` must read the source at the primary, and `write` updates the copy. Repeats until
 * the source no longer changes, so that the copy is right in whatever order events arrive. Returns the last read.
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
