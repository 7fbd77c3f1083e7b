/**
 * Syncs a copy with its source. `read` must read the source at the primary, and `write` updates the copy. Repeats until
 * the source no longer changes, so that the copy is right in whatever order events arrive. Returns the last read.
 * `expected` is written first and saves a read, if the copy may be wrong for a moment.
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
