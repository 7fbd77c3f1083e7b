import type { SystemCtx } from '../context.ts'
import { withTimeout } from '../timeout.ts'

const RETRY_MS = 2_000
const POLL_INTERVAL_MS = 3
const MAX_REMEMBERED = 10_000

/** Whether `time` is at most two seconds ago, also after the clock was set back. */
export const isRecent = (time: number, now: number): boolean => now >= time && now < time + RETRY_MS

/**
 * Calls that several requests need at once. One request makes the call and the others poll, because a promise that they
 * share would die with the request that created it. One request repeats a failed call after two seconds.
 */
export class Turns {
  private readonly begun = new Map<string, number>()
  private readonly failed = new Map<string, number>()
  private readonly name: string

  constructor(name: string) {
    this.name = name
  }

  /** Makes the call, or waits a moment for another one. Returns false if the last call has failed. */
  async take(ctx: SystemCtx, key: string, timeoutMs: number, call: () => Promise<void>): Promise<boolean> {
    const started = ctx.now()
    const failed = this.failed.get(key)
    if (failed !== undefined && isRecent(failed, started)) return false
    if ((this.begun.get(key) ?? -Infinity) > started - timeoutMs) {
      if (failed === undefined) await scheduler.wait(POLL_INTERVAL_MS)
      return failed === undefined
    }
    this.begun.set(key, started)
    try {
      const work = call()
      ctx.defer(() => work.catch(() => {})) // it goes on if the client disconnects, because others wait for it
      await withTimeout(work, timeoutMs)
      this.failed.delete(key)
      return true
    } catch (error) {
      ctx.log.error(`${this.name} does not answer`, { key, error })
      if (this.failed.size > MAX_REMEMBERED) this.failed.clear()
      this.failed.set(key, ctx.now())
      return false
    } finally {
      if (this.begun.get(key) === started) this.begun.delete(key)
    }
  }
}
