/**
 * Syncs a copy with its source of truth: `read` reads the source at the primary, and `write` updates the copy. Repeats
 * until the source no longer changes, so that the copy converges in any order of events. Returns the last read.
 * `expected` saves the first read, for copies that may be wrong for a moment.
 */
export async function mirror<T>(
  read: () => Promise<T>,
  write: (truth: T) => Promise<unknown>,
  expected?: T,
): Promise<T> {
  let truth = expected === undefined ? await read() : expected
  for (;;) {
    await write(truth)
    const now = await read()
    if (JSON.stringify(now) === JSON.stringify(truth)) return truth
    truth = now
  }
}
