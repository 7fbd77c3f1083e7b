const FORGOTTEN_MS = 30_000

/** Counts work of this isolate that has not ended. Work of a cancelled request never ends: it counts for 30 seconds. */
export class Pending {
  readonly #works = new Set<{ startedAt: number }>()

  /** Returns the function to call at the end. */
  begin(): () => void {
    const work = { startedAt: Date.now() }
    this.#works.add(work)
    return () => void this.#works.delete(work)
  }

  /** How many works have lasted for at least `ms` milliseconds. */
  count(ms = 0): number {
    const now = Date.now()
    let count = 0
    for (const work of this.#works) {
      if (work.startedAt <= now - FORGOTTEN_MS) this.#works.delete(work)
      else if (work.startedAt > now - ms)
        break // the others began later
      else count += 1
    }
    return count
  }
}

export const requestsInFlight = new Pending()
export const tripsInFlight = new Pending()
